"""A folder with one file in the standard panel's format, and one of Lido."""

import tempfile
from pathlib import Path

SAID_BY = ("standard_panel", "lido_daily")

PANEL = "pool_id,ts,apy\na,2026-01-01,0.04\na,2026-01-02,0.05\n"


def serve(httpserver, monkeypatch):
    _ = httpserver, monkeypatch
    folder = Path(tempfile.mkdtemp())
    (folder / "panel.csv").write_text(PANEL)
    return {"files": folder}
