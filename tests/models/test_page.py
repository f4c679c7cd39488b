from pathlib import Path

from defimon.models._base import FAMILY

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


def test_the_page_lists_every_model_and_its_variants():
    rows = {}
    for line in PAGE.splitlines():
        if line.startswith("| `"):
            rows.setdefault(line.split("|")[1].strip(" `"), line)
    for name in FAMILY.names():
        for variant in FAMILY.load(name).variants[1:]:
            assert f"`{variant}`" in rows[name]
        assert name in rows
