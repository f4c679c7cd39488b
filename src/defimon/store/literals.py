"""Values written into a statement: the driver for bulk reads takes no parameters where it is fast."""

import sqlalchemy as sa

from defimon.core.errors import BadData


def literal(value: str | int) -> sa.ColumnElement[str] | sa.ColumnElement[int]:
    """A whole number or truth value, or text in standard SQL, where only the quote itself is special."""
    if isinstance(value, int):
        return sa.literal_column(quoted(value), sa.BigInteger())
    return sa.literal_column(quoted(value), sa.Text())


def quoted(value: str | int) -> str:
    """The value as it stands in SQL. Raises BadData for a text that no database takes."""
    if isinstance(value, int):
        return str(int(value))
    if "\0" in value:
        raise BadData(f"A value to look for holds a null character: {value!r}.")
    return "'" + value.replace("'", "''") + "'"
