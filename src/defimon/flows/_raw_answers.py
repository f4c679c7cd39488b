"""Answers of services kept as they came, and found again after an interruption."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa

from defimon.core.errors import BadData
from defimon.core.tables import RAW_ANSWERS
from defimon.sources._http import Answer
from defimon.store.database import Store

COMPRESSION = "zstd"
LEVEL = 1
"""A `/pools` answer of 14.3 MB shrinks to 2.7 MB in 17 ms, where zlib takes 85 ms to 3.3 MB; blocks likewise.
Higher levels make neither smaller."""

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
    found: bytes = pa.Codec(COMPRESSION, compression_level=LEVEL).compress(body, asbytes=True)
    return found


def whole(row: Mapping[str, Any]) -> bytes:
    """The body of a row with `body`, `length` and `sha256`. Raises BadData for a damaged one."""
    body, length = row["body"], row["length"]
    try:
        if body.startswith(BY_ZLIB):
            found: bytes = zlib.decompress(body)
        else:
            found = pa.Codec(COMPRESSION).decompress(body, decompressed_size=length, asbytes=True)
    except (zlib.error, OSError, ValueError) as error:
        raise BadData(f"a kept answer of {length} bytes cannot be read ({error}).") from error
    if hashlib.sha256(found).hexdigest() != row["sha256"]:
        raise BadData(f"a kept answer of {length} bytes is not what was kept: its hash is another one.")
    return found


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
    """The newest answer to each of `requests` that was fetched at or after `since`, without damaged ones."""
    names = ["sha256", "request", "ts"]
    asked = pl.col("request").is_in([request_of(one) for one in requests])
    found = store.read("raw_answers", since=since, columns=names).filter(asked)
    newest = found.sort("ts").unique("request", keep="last")
    if newest.is_empty():
        return {}
    found = store.read(
        "raw_answers",
        where={"request": newest["request"].to_list(), "sha256": newest["sha256"].to_list()},
        columns=[*names, "body", "length"],
    ).join(newest, on=["sha256", "request"], how="semi")
    urls = {request_of(one): one for one in requests}
    kept = {}
    for row in found.iter_rows(named=True):
        url = urls[row["request"]]
        with suppress(BadData):  # it is asked for again
            if row["body"]:
                kept[url] = Answer(url, whole(row), "", row["ts"])
    return kept
