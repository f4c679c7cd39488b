"""Answers of services kept as they came, and found again after an interruption."""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from defimon.core.tables import RAW_ANSWERS
from defimon.sources._http import Answer
from defimon.store.database import Store

COMPRESSION = 3
"""A `/pools` answer of 14 MB shrinks to 3.3 MB in half the processor time of zlib's default, 6, which gets it
to 3.0; blocks of a chain likewise."""


LONGEST_REQUEST = 1_000
"""Characters by which a request is told; a longer one is told by its beginning and its hash, since the name
of a row has to fit a page of PostgreSQL's index."""


def request_of(url: str) -> str:
    """How the table names what was asked."""
    if len(url) <= LONGEST_REQUEST:
        return url
    return f"{url[:LONGEST_REQUEST]}… {hashlib.sha256(url.encode()).hexdigest()}"


def keep_answer(store: Store, answer: Answer, source: str) -> None:
    """Write an answer to `raw_answers`, compressed, by the hash of its body."""
    row = {
        "sha256": hashlib.sha256(answer.body).hexdigest(),
        "ts": answer.fetched_at,
        "request": request_of(answer.url),
        "body": zlib.compress(answer.body, COMPRESSION),
        "length": len(answer.body),
        "known_at": answer.fetched_at,
        "source": source,
        "origin": "observed",
    }
    store.write("raw_answers", RAW_ANSWERS.rows([row]))


def keep_once(store: Store, answer: Answer, source: str) -> None:
    """As `keep_answer`, unless the very same body to the same request is kept already."""
    digest = hashlib.sha256(answer.body).hexdigest()
    same = {"sha256": [digest], "request": [request_of(answer.url)]}
    if store.read("raw_answers", where=same, columns=["sha256"]).is_empty():
        keep_answer(store, answer, source)


def kept_answers(store: Store, requests: Sequence[str], since: datetime) -> dict[str, Answer]:
    """The newest answer to each of `requests` that was fetched at or after `since`."""
    names = ["sha256", "request", "ts"]
    asked = pl.col("request").is_in([request_of(one) for one in requests])
    found = store.read("raw_answers", since=since, columns=names).filter(asked)
    newest = found.sort("ts").unique("request", keep="last")
    if newest.is_empty():
        return {}
    whole = store.read(
        "raw_answers",
        where={"request": newest["request"].to_list(), "sha256": newest["sha256"].to_list()},
        columns=[*names, "body"],
    ).join(newest, on=["sha256", "request"], how="semi")
    urls = {request_of(one): one for one in requests}
    return {
        urls[row["request"]]: Answer(urls[row["request"]], zlib.decompress(row["body"]), "", row["ts"])
        for row in whole.select(pl.exclude("sha256")).iter_rows(named=True)
        if row["body"]
    }
