"""What went wrong in a worker, as far as readers may know it: the log and the command line have the rest."""

import re

PLACE = re.compile(r"(?<![\w.~/-])(?:/[^\s/'\"`,;:()<>\[\]{}]+)+/|(?<=://)/+(?:[^\s/'\"`,;:()<>\[\]{}]+/)+")
"""A folder of the disk, up to the last name of the path; an address (https://host/path) is none."""

MISTAKE = re.compile(r"a mistake in the code: (\w+).*", re.DOTALL)
"""As `run_job` notes one: what stands behind the kind of error may be anything."""

MOST = 300
"""Characters of one line."""


def shown_fault(text: str, owner: str = "") -> str:
    """The first line of an error, without folders of the disk, without the name of the worker (`owner`), and
    without what a mistake was about.
    """
    mistake = MISTAKE.fullmatch(text)
    if mistake:
        return f"a mistake in the code: {mistake[1]}; the worker's log tells more"
    line = text.partition("\n")[0]
    return _short(line.replace(owner, "a worker") if owner else line)


def shown_warnings(text: str) -> str:
    """Warnings line by line, without folders of the disk."""
    return "\n".join(_short(line) for line in text.splitlines())


def _short(line: str) -> str:
    told = PLACE.sub("…/", line)
    return told if len(told) <= MOST else f"{told[:MOST]}…"
