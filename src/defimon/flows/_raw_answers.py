"""Answers of services kept as they came, and found again after an interruption."""

import hashlib
import zlib
from collections.abc import Sequence
from datetime import datetime

import polars as pl
import zstandard

from defimon.core.tables import RAW_ANSWERS
from defimon.sources._http import Answer
from defimon.store.database import Store

COMPRESSION = 1
"""Level of zstd. A `/pools` answer of 14.3 MB shrinks to 2.7 MB in 17 ms, where zlib takes 85 ms to 3.3 MB;
blocks of a chain likewise. Higher levels make neither smaller."""

BY_ZLIB = b"\x78"
"""Begins what zlib compressed, as older stores hold it; what zstd did begins otherwise (RFC 8878, 3.1.1)."""

LONGEST_REQUEST = 1_000
"""Characters by which a request is told; a longer one is told by its beginning and its hash, since the name
of a row has to fit a page of PostgreSQL's index."""


def request_of(url: str) -> str:
    """How the table names what was asked."""
    if len(url) <= LONGEST_REQUEST:
        return url
    return f"{url[:LONGEST_REQUEST]}… {hashlib.sha256(url.encode()).hexdigest()}"


def compressed(body: bytes) -> bytes:
    """A body as the table holds it."""
    return zstandard.ZstdCompressor(COMPRESSION).compress(body)


def whole(body: bytes) -> bytes:
    """The body of which the table holds `body`."""
    if body.startswith(BY_ZLIB):
        return zlib.decompress(body)
    return zstandard.ZstdDecompressor().decompress(body)


def keep_answer(store: Store, answer: Answer, source: str) -> None:
    """Write an answer to `raw_answers`, compressed, by the hash of its body."""
    _keep(store, answer, source, hashlib.sha256(answer.body).hexdigest())


def keep_once(store: Store, answer: Answer, source: str) -> None:
    """As `keep_answer`, unless the very same body to the same request is kept already."""
    digest = hashlib.sha256(answer.body).hexdigest()
    same = {"sha256": [digest], "request": [request_of(answer.url)]}
    if store.read("raw_answers", where=same, columns=["sha256"]).is_empty():
        _keep(store, answer, source, digest)


def _keep(store: Store, answer: Answer, source: str, digest: str) -> None:
    row = {
        "sha256": digest,
        "ts": answer.fetched_at,
        "request": request_of(answer.url),
        "body": compressed(answer.body),
        "length": len(answer.body),
        "known_at": answer.fetched_at,
        "source": source,
        "origin": "observed",
    }
    store.write("raw_answers", RAW_ANSWERS.rows([row]))


def kept_answers(store: Store, requests: Sequence[str], since: datetime) -> dict[str, Answer]:
    """The newest answer to each of `requests` that was fetched at or after `since`."""
    names = ["sha256", "request", "ts"]
    asked = pl.col("request").is_in([request_of(one) for one in requests])
    found = store.read("raw_answers", since=since, columns=names).filter(asked)
    newest = found.sort("ts").unique("request", keep="last")
    if newest.is_empty():
        return {}
    found = store.read(
        "raw_answers",
        where={"request": newest["request"].to_list(), "sha256": newest["sha256"].to_list()},
        columns=[*names, "body"],
    ).join(newest, on=["sha256", "request"], how="semi")
    urls = {request_of(one): one for one in requests}
    return {
        urls[row["request"]]: Answer(urls[row["request"]], whole(row["body"]), "", row["ts"])
        for row in found.select(pl.exclude("sha256")).iter_rows(named=True)
        if row["body"]
    }
