"""Log lines tell the request and no secret."""

import json

import pytest
import structlog

from defimon.core.logs import REQUEST_ID, configure_logs, lines_of
from defimon.core.settings import load_settings

GIVEN = {
    "DEFIMON_DATABASE_URL": "postgresql://someone:hush-hush@host/base",
    "DEFIMON_RPC_ASTAR": "https://node.example/key-of-mine,wss://node.example/other-key",
    "DEFIMON_ETHERSCAN_KEY": "etherscan-key\n",
    "DEFIMON_LOG_JSON": "true",
    "DEFIMON_LOG_LEVEL": "INFO",
}


def written(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_no_line_holds_a_secret_of_the_settings(capsys):
    configure_logs(load_settings(GIVEN))
    log = structlog.get_logger()
    log.warning("asked https://node.example/key-of-mine", note={"url": "wss://node.example/other-key"})
    log.error("postgresql://someone:another@host/base", keys=["etherscan-key", f"dfm_{'0' * 12}_{'a' * 64}"])
    try:
        int("postgresql://someone:hush-hush@host/base")
    except ValueError:
        log.exception("failed")
    first, second, third = written(capsys)
    assert first["event"] == "asked ***"
    assert first["note"] == {"url": "***"}
    assert second["event"] == "postgresql://someone:***@host/base"
    assert second["keys"] == ["***", "dfm_***"]
    assert "hush" not in json.dumps(third)
    assert "ValueError" in third["exception"]


def test_a_line_within_a_request_tells_it(capsys):
    configure_logs(load_settings(GIVEN))
    token = REQUEST_ID.set("mine-1")
    structlog.get_logger().info("within")
    REQUEST_ID.reset(token)
    structlog.get_logger().info("without")
    within, without = written(capsys)
    assert within["request_id"] == "mine-1"
    assert "request_id" not in without


@pytest.mark.parametrize("level", ["warning", "error"])
def test_lines_of_libraries_go_where_ours_go(capsys, level):
    import logging

    configure_logs(load_settings(GIVEN))
    with lines_of("some.library"):
        getattr(logging.getLogger("some.library.part"), level)("etherscan-key %s", "leaks")
        logging.getLogger("some.library").info("not told")
    (line,) = written(capsys)
    assert (line["event"], line["of"], line["level"]) == ("*** leaks", "some.library.part", level)
