"""Addresses in mixed case carry a checksum: a mistyped one is told before anything is asked.

Source: EIP-55; Keccak by its authors' specification (padding 0x01, before SHA-3 changed it).
"""

RATE_BYTES = 136
LANES = 25
MASK = (1 << 64) - 1


def _round_constants() -> tuple[int, ...]:
    """Of the 24 rounds, by the linear feedback shift register x^8 + x^6 + x^5 + x^4 + 1."""
    found, state = [], 1
    for _ in range(24):
        constant = 0
        for place in range(7):
            if state & 1:
                constant |= 1 << ((1 << place) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        found.append(constant)
    return tuple(found)


ROUND_CONSTANTS = _round_constants()


def _rotated(lane: int, by: int) -> int:
    by %= 64
    return ((lane << by) | (lane >> (64 - by))) & MASK


def _permuted(lanes: list[int]) -> list[int]:
    """Keccak-f[1600]; lane (x, y) stands at x + 5 y."""
    for constant in ROUND_CONSTANTS:
        parity = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [parity[(x - 1) % 5] ^ _rotated(parity[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[place % 5] for place, lane in enumerate(lanes)]
        moved = [lanes[0]] + [0] * (LANES - 1)
        x, y = 1, 0
        for step in range(24):
            moved[y + 5 * ((2 * x + 3 * y) % 5)] = _rotated(lanes[x + 5 * y], (step + 1) * (step + 2) // 2)
            x, y = y, (2 * x + 3 * y) % 5
        lanes = [
            lane ^ (~moved[(place + 1) % 5 + place // 5 * 5] & moved[(place + 2) % 5 + place // 5 * 5])
            for place, lane in enumerate(moved)
        ]
        lanes[0] ^= constant
    return lanes


def keccak256(message: bytes) -> bytes:
    """Keccak-256 of the message, as Ethereum uses it."""
    padded = bytearray(message + b"\x01" + bytes(-(len(message) + 1) % RATE_BYTES))
    padded[-1] |= 0x80
    lanes = [0] * LANES
    for start in range(0, len(padded), RATE_BYTES):
        for lane in range(RATE_BYTES // 8):
            lanes[lane] ^= int.from_bytes(padded[start + 8 * lane : start + 8 * lane + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def checksum_holds(address: str) -> bool:
    """Whether an address of 0x and 40 hexadecimal digits is as EIP-55 writes it; one case says nothing."""
    digits = address[2:]
    if digits in {digits.lower(), digits.upper()}:
        return True
    nibbles = keccak256(digits.lower().encode()).hex()
    return all(
        letter.isdigit() or letter.isupper() == (nibble >= "8")
        for letter, nibble in zip(digits, nibbles, strict=False)
    )
