"""Times as a person writes and reads them."""

from datetime import UTC, datetime

from defimon.core.errors import FixSettings

FIRST = datetime(2009, 1, 3, tzinfo=UTC)
"""The first block of the first chain: nothing that is collected is older."""


def since_option(text: str | None, *, now: datetime, option: str = "--since") -> datetime | None:
    """A day such as 2026-01-31, or a time in ISO 8601, in UTC unless it says otherwise.

    Raises FixSettings for what is none, for the future and for times before there were chains.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise FixSettings(
            f"{option} {text[:60]!r} is no date.",
            variable=option,
            remedy="Write a day such as 2026-01-31, or a time such as 2026-01-31T12:00:00+00:00.",
        ) from None
    if not FIRST <= moment <= now:
        where = "in the future" if moment > now else f"before {FIRST.date()}, when there was no chain"
        raise FixSettings(
            f"{option} {text} is {where}.", variable=option, remedy="Choose a day that has been."
        )
    return moment


def ago(seconds: float) -> str:
    """An age in its two largest units, such as 3 d 4 h; `in …` for what is to come."""
    whole = abs(int(seconds))
    parts: list[str] = []
    for name, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        number, whole = divmod(whole, length)
        if number or (name == "s" and not parts):
            parts.append(f"{number} {name}")
    shown = " ".join(parts[:2])
    return f"in {shown}" if seconds <= -1 else shown


def clock(moment: datetime | None) -> str:
    """A time to the second, in UTC; empty for none."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
