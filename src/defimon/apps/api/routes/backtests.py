"""Backtests: asked for here, run by the worker."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from defimon.apps.api._backtest_results import BacktestResult, TradePage
from defimon.apps.api._backtests import BacktestIn, BacktestOut, BacktestPage, shown
from defimon.apps.api.access import Caller, CheckedFirst, Reader, Runner
from defimon.apps.api.documents import Answer
from defimon.apps.api.problems import Problem, Refusal
from defimon.apps.api.questions import cursor_of, page_size, place_of
from defimon.apps.api.service import Store, service_of
from defimon.flows.backtest_form import Form, form_of
from defimon.flows.backtest_results import read_document, read_trades
from defimon.flows.backtests import (
    Backtest,
    TooMany,
    cancel_backtest,
    find_backtest,
    list_backtests,
    submit,
)
from defimon.flows.catalogue import Catalogue
from defimon.flows.not_known import NotKnown, all_near
from defimon.flows.shown_faults import shown_fault

router = APIRouter(prefix="/v1/backtests", tags=["backtests"], route_class=CheckedFirst)

BacktestId = Annotated[str, Path(min_length=1, max_length=60, description="as POST /v1/backtests gave it")]
Limit = Annotated[int | None, Query(ge=1, le=100_000, description="rows of a page")]
Cursor = Annotated[str | None, Query(max_length=800, description="`next` of the page before")]
State = Literal["queued", "running", "done", "failed", "cancelled"]
SOON_S = "2"
FOLLOWED: dict[int | str, dict[str, Any]] = {
    202: {
        "links": {
            name: {"operationId": name, "parameters": {"backtest_id": "$response.body#/backtest_id"}}
            for name in (
                *("one_backtest", "result_of_backtest", "trades_of_backtest"),
                *("stop_backtest", "remove_backtest"),
            )
        }
    }
}
"""What can be done with a backtest, for the description."""

UNFINISHED: dict[int | str, dict[str, Any]] = {
    202: {"model": BacktestOut, "description": "It is not done yet"},
    409: {"model": Problem, "description": "It failed or was cancelled"},
}
MOST_TRADES = 10**9
"""Beyond every place that a cursor may mean."""


@router.post("", status_code=202, response_model=BacktestOut, responses=FOLLOWED)
async def ask_backtest(request: Request, caller: Runner, asked: BacktestIn) -> Answer:
    """Have it run by a worker; Location tells where to see how it stands.

    The same form that waits already is not queued twice, and one that was run on the same data answers with
    what came of it then. 429 when too many of yours wait.
    """
    service = service_of(request)
    catalogue = (await service.known()).catalogue
    given = asked.model_dump(exclude={"preset"})
    form = await service.working(_checked, asked.preset, given, catalogue)
    try:
        queued = await service.reading(submit, _owner(caller), form)
    except TooMany as error:
        wait = {"Retry-After": f"{error.after_seconds:.0f}"}
        raise Refusal(429, error.message, remedy=error.remedy, headers=wait) from None
    answer = Answer(shown(queued), status=202)
    answer.headers["Location"] = f"/v1/backtests/{queued.backtest_id}"
    return answer


@router.get("", response_model=BacktestPage)
async def list_of_backtests(
    request: Request,
    caller: Reader,
    state: Annotated[list[State], Query(max_length=5, description="only these")] = [],  # noqa: B006
    limit: Limit = None,
    cursor: Cursor = None,
) -> Answer:
    """Yours of the last year, the newest first; everybody's with an admin's key."""
    service = service_of(request)
    seen = await service.reading(list_backtests, caller.name, every=caller.admin)
    fitting = [one for one in seen if not state or one.state in state]
    rest = fitting
    if cursor is not None:
        (last,) = place_of(cursor, (str,))
        rest = [one for one in fitting if one.backtest_id < last]
    size = page_size(limit, service.settings.api_page_rows)
    following = cursor_of((rest[size - 1].backtest_id,)) if len(rest) > size else None
    page = [shown(one) for one in rest[:size]]
    return Answer({"backtests": page, "total": len(fitting), "next": following})


@router.get("/{backtest_id}", response_model=BacktestOut, operation_id="one_backtest")
async def one_backtest(request: Request, caller: Reader, backtest_id: BacktestId) -> Answer:
    """How it stands. Another's is as unknown as one that is not there."""
    found = await service_of(request).reading(_find, backtest_id, caller)
    return Answer(shown(found))


@router.get(
    "/{backtest_id}/result",
    response_model=BacktestResult,
    responses=UNFINISHED,
    operation_id="result_of_backtest",
)
async def result_of_backtest(request: Request, caller: Reader, backtest_id: BacktestId) -> Answer:
    """Figures of each strategy beside the simplest rule, all costs, and curves.

    202 with how it stands until it is done; 409 where there will be none.
    """
    service = service_of(request)
    found = await service.reading(_find, backtest_id, caller)
    if found.result_id is None:
        return _unfinished(found)
    document = await service.reading(read_document, found.result_id)
    return Answer({"backtest_id": backtest_id, "result_id": found.result_id, **document})


@router.get(
    "/{backtest_id}/trades", response_model=TradePage, responses=UNFINISHED, operation_id="trades_of_backtest"
)
async def trades_of_backtest(
    request: Request,
    caller: Reader,
    backtest_id: BacktestId,
    strategy: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Answer:
    """Its trades, by strategy and day; 202 and 409 as for its result."""
    service = service_of(request)
    found = await service.reading(_find, backtest_id, caller)
    if found.result_id is None:
        return _unfinished(found)
    (place,) = place_of(cursor, (int,)) if cursor is not None else (0,)
    after = min(max(place, 0), MOST_TRADES)
    size = page_size(limit, service.settings.api_page_rows)
    rows, total = await service.reading(
        read_trades, found.result_id, strategy=strategy, after=after, limit=size
    )
    following = cursor_of((after + size,)) if after + size < total else None
    return Answer({"backtest_id": backtest_id, "rows": rows, "total": total, "next": following})


@router.post("/{backtest_id}/cancel", response_model=BacktestOut, operation_id="stop_backtest")
async def stop_backtest(request: Request, caller: Runner, backtest_id: BacktestId) -> Answer:
    """Let it end, if it waits or runs; its worker learns of it within seconds."""
    found = await service_of(request).reading(cancel_backtest, backtest_id, caller.name, every=caller.admin)
    return Answer(shown(found))


@router.delete("/{backtest_id}", status_code=204, response_model=None, operation_id="remove_backtest")
async def remove_backtest(request: Request, caller: Runner, backtest_id: BacktestId) -> Response:
    """Cancel it if it waits or runs, and take it off the list."""
    await service_of(request).reading(
        cancel_backtest, backtest_id, caller.name, every=caller.admin, remove=True
    )
    return Response(status_code=204)


def _owner(caller: Caller) -> str:
    return caller.name or ""


def _find(store: Store, backtest_id: str, caller: Caller) -> Backtest:
    return find_backtest(store, backtest_id, caller.name, every=caller.admin)


def _unfinished(found: Backtest) -> Answer:
    """How it stands, as long as a result may come. Raises Refusal when none will."""
    if not found.open:
        error = shown_fault(found.error or "")
        why = f"it failed: {error}" if found.state == "failed" else "it was cancelled."
        raise Refusal(409, f"There is no result: {why}", remedy=found.remedy or "Ask for it anew.")
    answer = Answer(shown(found), status=202)
    answer.headers["Retry-After"] = SOON_S
    return answer


def _checked(preset: str, given: dict[str, Any], catalogue: Catalogue) -> Form:
    """The form, its pools under the ids that they have now. Raises NotKnown and FixSettings."""
    if given["pools"] is not None:
        given["pools"] = [catalogue.old_ids.get(pool, pool) for pool in given["pools"]]
    known = {
        "pools": catalogue.rows.keys(),
        "chains": set(catalogue.pools["chain"].drop_nulls()),
        "protocols": set(catalogue.pools["protocol"].drop_nulls()),
    }
    for field, names in known.items():
        strange = [name for name in given[field] or () if name not in names]
        if strange:
            message = f"{len(strange)} of the {field} are unknown."
            raise NotKnown(message, variable=field, unknown=all_near(strange, names))
    return form_of(preset, given)
