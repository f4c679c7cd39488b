"""One tree of errors, sorted by what the caller can do about them."""

from collections.abc import Sequence


class DefimonError(Exception):
    """Base of every error that defimon raises on purpose: says what is wrong and how to mend it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy


class TryAgain(DefimonError):  # noqa: N818 - the tree names what to do, not that something failed
    """A passing fault of something outside: the same call may succeed later.

    `after_seconds` is when, if the other side said so.
    """

    def __init__(self, message: str, *, after_seconds: float | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.after_seconds = after_seconds


class FixSettings(DefimonError):  # noqa: N818
    """A setting or option is missing, unknown or out of range; `variable` names it."""

    def __init__(self, message: str, *, variable: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.variable = variable


class BadData(DefimonError):  # noqa: N818
    """Rows that break their table's contract; `rows` lists the first of them as text."""

    def __init__(self, message: str, *, rows: Sequence[str] = (), remedy: str = "") -> None:
        listing = "".join(f"\n  {row}" for row in rows)
        super().__init__(f"{message}{listing}", remedy=f"\n{remedy}" if rows and remedy else remedy)
        self.rows = tuple(rows)


class Doubtful(DefimonError):  # noqa: N818
    """A result that is probably wrong although nothing failed; `figure` is what not to trust."""

    def __init__(self, message: str, *, figure: float, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.figure = figure
