"""Address of a database: which kind it is, and how to speak of it without its secrets."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import sqlalchemy as sa

from defimon.core.errors import FixSettings

VARIABLE = "DEFIMON_DATABASE_URL"
KNOWN = "sqlite:///path/to/file.db or postgresql://user:password@host/database"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store lies. `shown` names it in errors; `url` carries secrets and stays out of `repr`."""

    kind: Literal["sqlite", "postgresql"]
    shown: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    path: Path | None = None

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Raises FixSettings, without repeating the text, when it is no address of a store."""
        try:
            parts = sa.engine.make_url(url)
        except (sa.exc.ArgumentError, ValueError):
            raise _unknown("The database address cannot be read.") from None
        kind = parts.get_backend_name()
        if kind == "sqlite":
            return cls._file(parts)
        if kind in {"postgresql", "postgres"}:
            return cls._server(parts)
        raise _unknown("The database address is of an unknown kind.")

    @classmethod
    def _file(cls, parts: sa.engine.URL) -> "Address":
        if not parts.database or parts.database == ":memory:" or parts.database.startswith("file:"):
            raise _unknown("A SQLite store needs a file of its own.")
        path = Path(parts.database).expanduser().absolute()
        return cls("sqlite", str(path), str(path), path=path)

    @classmethod
    def _server(cls, parts: sa.engine.URL) -> "Address":
        words = parts.set(drivername="postgresql")
        # A query may carry a password too (?password=…), so what is shown leaves it out.
        shown = words.set(query={}).render_as_string(hide_password=True)
        hidden = [words.password, *words.query.values()]
        texts = [text for text in hidden if isinstance(text, str) and text]
        secrets = {form for text in texts for form in (text, quote(text, safe=""))}
        full = words.render_as_string(hide_password=False)
        return cls("postgresql", shown, full, (full, *sorted(secrets, key=len, reverse=True)))

    def masked(self, text: str) -> str:
        """`text` with every secret of this address replaced."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text

    @property
    def variable(self) -> str:
        """Setting that leads here."""
        return "DEFIMON_DATA_DIR" if self.kind == "sqlite" else VARIABLE


def _unknown(message: str) -> FixSettings:
    return FixSettings(message, variable=VARIABLE, remedy=f"Give {KNOWN}.")
