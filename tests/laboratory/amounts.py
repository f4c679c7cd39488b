"""Random amounts that reach every decade."""

import random
from math import log2


def spread(draw: random.Random, digits: float) -> int:
    """An integer from 1 to about 10^digits whose order of magnitude is uniform."""
    bits = int(draw.uniform(0, digits * log2(10)))
    return draw.randrange(1 << bits, 2 << bits)
