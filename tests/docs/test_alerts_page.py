import re
from pathlib import Path

from defimon.alerts._base import FAMILY

PAGE = Path(__file__).resolve().parents[2] / "docs" / "alerts.md"


def rows():
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3:
            for kind in re.findall(r"`(\w+)`", cells[0]):
                yield kind, set(re.findall(r"`(\w+)`", cells[2]))


def test_the_page_names_every_kind_of_rule_and_what_it_is_set_to():
    told = dict(rows())
    assert set(told) == set(FAMILY.names())
    for kind, settings in told.items():
        assert settings == {one.name for one in FAMILY.load(kind).settings}, kind
