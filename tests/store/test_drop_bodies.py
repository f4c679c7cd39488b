"""Bodies of answers can be taken out, on both databases; nothing else can."""

from datetime import UTC, datetime

from defimon.core.tables import RAW_ANSWERS
from defimon.store.database import Store

AT = datetime(2026, 1, 1, tzinfo=UTC)


def answer(digest, request="/pools"):
    return {
        "sha256": digest,
        "ts": AT,
        "request": request,
        "body": b"body",
        "length": 9,
        "known_at": AT,
        "source": "test",
        "origin": "observed",
    }


def test_a_body_is_emptied_and_the_rest_of_its_row_stays(url):
    rows = RAW_ANSWERS.rows([answer("a"), answer("b"), answer("a", "/other's")])
    with Store(url) as store:
        store.migrate()
        store.write("raw_answers", rows)
        assert store.drop_bodies(["a", "nothing"], ["/pools"]) == ["a"]
        assert store.drop_bodies(["a"], ["/pools"]) == []
        left = store.read("raw_answers", columns=["sha256", "request", "body", "length"])
    assert left.rows() == [
        ("a", "/other's", b"body", 9),
        ("a", "/pools", b"", 9),
        ("b", "/pools", b"body", 9),
    ]
