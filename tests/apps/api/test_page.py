"""The guide to the API does what it says."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()


def test_the_guide_from_python_runs_as_it_stands(client, filled, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert "http://127.0.0.1:8000" in code
    names = {"KEY": filled.keys["read"]}
    exec(code.replace("http://127.0.0.1:8000", str(client.base_url)), names)
    names["api"].close()
    first, second, last = capsys.readouterr().out.splitlines()
    assert first == "aave: 4.98% a year, 4.07% to 6.33%; today 4.52%"
    assert second.startswith("lido: 3.41% a year, 2.79% to 4.34%; today 3.10%")
    assert last == "aave-v3:base:USDC 40 days"


def test_every_route_stands_in_the_page(client):
    for path in client.get("/v1/openapi.json").json()["paths"]:
        word = path.removeprefix("/v1").split("/")[1]
        assert f"/{word}" in PAGE, path
