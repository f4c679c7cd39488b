"""That nothing waits in a table, known without another look as long as nobody writes to it."""

from dataclasses import dataclass

from defimon.store.database import Store


@dataclass(slots=True)
class Lull:
    """Remembers a look at a table that found nothing to do, for one thread.

    What falls due by time alone must not be called a lull.
    """

    table: str
    _looked: int | None = None
    _quiet: int | None = None

    def holds(self, store: Store) -> bool:
        """Whether nothing was written since a look that found nothing; one small question."""
        self._looked = store.changes().get(self.table, 0)
        return self._looked == self._quiet

    def note(self) -> None:
        """The look that followed `holds` found nothing."""
        self._quiet = self._looked
