"""Channels of alerts as a person writes them down."""

import re

NEXT = re.compile(r"[,\s]+(?=[\w.-]+=[\w.+-]+://)")
"""A channel begins where a name and a scheme follow a comma: an address may hold commas of its own."""

CHANNEL = re.compile(r"([\w.-]{1,40})=([\w.+-]+://.*)", re.DOTALL)


def channels_of(text: str) -> dict[str, str]:
    """Address by name from `name=scheme://…,name=scheme://…`. Raises ValueError, without the address, which
    may hold a password.
    """
    found = [CHANNEL.fullmatch(part) for part in NEXT.split(text.strip())]
    told = {one[1]: one[2] for one in found if one is not None}
    if len(told) != len(found):
        message = "give name=scheme://…, each name once, the next one after a comma"
        raise ValueError(message)
    return told
