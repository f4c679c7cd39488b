"""Series that only tell what is now: a visit that was missed can never be made up for."""

from datetime import datetime

from defimon.sources._series import Gap, Series, Wanted

LATE = 1.5
"""Snapshots that lie farther apart than this many times their pace have missed one between them; less is the
delay of a queue or of retries."""

NOT_ASKED = "nothing was collected, and the service tells only what is now"


def missed_visits(series: Series, wanted: Wanted, at: datetime, number: int) -> tuple[Gap, ...]:
    """What lies between the position and a snapshot of `at`, whose position is `number`, as lost."""
    if wanted.cursor is None or at - wanted.cursor.ts <= LATE * series.every:
        return ()
    return (Gap(wanted.cursor.number + 1, number, NOT_ASKED, lost=True),)
