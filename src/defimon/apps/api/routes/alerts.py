"""Alerts: what rules found, the rules, and the messages about it."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from defimon.apps.api._alerts import (
    AlertPage,
    Channels,
    Kinds,
    MessagePage,
    RuleIn,
    RuleOut,
    Rules,
    Sent,
    rule_of,
    shown_alert,
    shown_message,
    shown_rule,
)
from defimon.apps.api.access import Caller, CheckedFirst, Reader, Runner
from defimon.apps.api.documents import Answer
from defimon.apps.api.problems import Refusal
from defimon.apps.api.questions import EARLIEST, Moment, clamped, cursor_of, page_size, place_of
from defimon.apps.api.service import Store, service_of
from defimon.flows.alert_channels import channel_names
from defimon.flows.alert_messages import Message, TooSoon, list_messages, write_test
from defimon.flows.alert_rules import AlertRule, find_rule, kinds, save_rule, visible_rules
from defimon.flows.alerts import clear_dropped, clear_rule, list_alerts, remove_rule
from defimon.flows.catalogue import Catalogue

router = APIRouter(prefix="/v1/alerts", tags=["alerts"], route_class=CheckedFirst)

RuleId = Annotated[str, Path(min_length=1, max_length=60, description="as POST /v1/alerts/rules gave it")]
Limit = Annotated[int | None, Query(ge=1, le=100_000, description="rows of a page")]
Cursor = Annotated[str | None, Query(max_length=800, description="`next` of the page before")]
FOLLOWED: dict[int | str, dict[str, Any]] = {
    201: {
        "links": {
            name: {"operationId": name, "parameters": {"rule_id": "$response.body#/rule_id"}}
            for name in ("one_rule", "change_rule", "delete_rule", "test_rule")
        }
    }
}
"""What can be done with a rule, for the description."""

Filter = Annotated[str | None, Query(max_length=300)]


@router.get("", response_model=AlertPage)
async def list_of_alerts(
    request: Request,
    caller: Reader,
    rule_id: Annotated[str | None, Query(pattern="^[0-9a-z]{1,60}$")] = None,
    kind: Filter = None,
    subject: Filter = None,
    state: Literal["open", "cleared"] | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Answer:
    """What your rules found, and shared ones of others, the newest first; everybody's with an admin's key."""
    service = service_of(request)
    rows = await service.reading(
        list_alerts, caller.name, every=caller.admin, rule_id=rule_id, kind=kind, subject=subject,
        state=state, since=clamped(since), until=clamped(until),
    )  # fmt: skip
    places = [(_micros(row["ts"]), str(row["alert_id"])) for row in rows]
    size = page_size(limit, service.settings.api_page_rows)
    page, following = _page(rows, places, cursor, size)
    told = [shown_alert(row) for row in page]
    return Answer({"alerts": told, "total": len(rows), "next": following})


@router.get("/kinds", response_model=Kinds)
async def kinds_of_rules(request: Request, _caller: Reader) -> Answer:
    """Kinds of rules, and what each is set to."""
    found = await service_of(request).working(kinds)
    return Answer({"kinds": [asdict(one) for one in found]}, seconds=300)


@router.get("/channels", response_model=Channels)
async def list_of_channels(request: Request, _caller: Runner) -> Answer:
    """Channels by name, as DEFIMON_ALERT_CHANNELS has them."""
    return Answer({"channels": channel_names(service_of(request).settings)})


@router.get("/messages", response_model=MessagePage)
async def messages(
    request: Request,
    caller: Reader,
    rule_id: Annotated[str | None, Query(pattern="^[0-9a-z]{1,60}$")] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Answer:
    """Messages about your rules, the newest first, and whether they arrived."""
    service = service_of(request)
    found = await service.reading(_messages, caller, rule_id)
    places = [(_micros(one.ts), f"{one.message_id}/{one.channel}") for one in found]
    size = page_size(limit, service.settings.api_page_rows)
    page, following = _page(found, places, cursor, size)
    told = [shown_message(one) for one in page]
    return Answer({"messages": told, "total": len(found), "next": following})


@router.get("/rules", response_model=Rules)
async def rules(request: Request, caller: Reader) -> Answer:
    """Your rules, 100 at most; everybody's with an admin's key."""
    found = await service_of(request).reading(visible_rules, caller.name, every=caller.admin)
    return Answer({"rules": [shown_rule(one) for one in found]})


@router.post("/rules", status_code=201, response_model=RuleOut, responses=FOLLOWED)
async def add_rule(request: Request, caller: Runner, given: RuleIn) -> Answer:
    """Keep a rule; it is judged from the next look on."""
    service = service_of(request)
    rule = rule_of(given, caller.name or "")
    saved = await service.reading(save_rule, rule, channel_names(service.settings))
    answer = Answer(shown_rule(saved), status=201)
    answer.headers["Location"] = f"/v1/alerts/rules/{saved.rule_id}"
    return answer


@router.get("/rules/{rule_id}", response_model=RuleOut, operation_id="one_rule")
async def one_rule(request: Request, caller: Reader, rule_id: RuleId) -> Answer:
    """One rule. Another's is as unknown as one that is not there."""
    return Answer(shown_rule(await service_of(request).reading(_find, rule_id, caller)))


@router.put("/rules/{rule_id}", response_model=RuleOut, operation_id="change_rule")
async def change_rule(request: Request, caller: Runner, rule_id: RuleId, given: RuleIn) -> Answer:
    """Keep it in place of what it was; alerts about what it looks at no more are over, and all of them when
    it is judged no more, or has another kind or horizon.
    """
    service = service_of(request)
    catalogue = (await service.known()).catalogue
    channels = channel_names(service.settings)
    changed = await service.reading(_change, rule_id, caller, given, channels, catalogue)
    return Answer(shown_rule(changed))


@router.delete("/rules/{rule_id}", status_code=204, response_model=None, operation_id="delete_rule")
async def delete_rule(request: Request, caller: Runner, rule_id: RuleId) -> Response:
    """Take it away; what it found stays in the history, and is over."""
    await service_of(request).reading(_remove, rule_id, caller)
    return Response(status_code=204)


@router.post("/rules/{rule_id}/test", status_code=202, response_model=Sent, operation_id="test_rule")
async def test_rule(request: Request, caller: Runner, rule_id: RuleId) -> Answer:
    """Have a worker send a message to each of its channels; /v1/alerts/messages tells what became of it."""
    try:
        written = await service_of(request).reading(_test, rule_id, caller)
    except TooSoon as error:
        wait = {"Retry-After": f"{error.after_seconds:.0f}"}
        raise Refusal(429, error.message, remedy=error.remedy, headers=wait) from None
    return Answer({"messages": [shown_message(one) for one in written]}, status=202)


def _find(store: Store, rule_id: str, caller: Caller) -> AlertRule:
    return find_rule(store, rule_id, caller.name, every=caller.admin)


def _change(
    store: Store, rule_id: str, caller: Caller, given: RuleIn, channels: list[str], catalogue: Catalogue
) -> AlertRule:
    with store.transaction():
        before = _find(store, rule_id, caller)
        saved = save_rule(store, rule_of(given, before.owner, before.rule_id), channels)
        if not saved.enabled or _causes(saved) != _causes(before):
            clear_rule(store, rule_id)
        elif saved.scope != before.scope:
            clear_dropped(store, saved, catalogue)
        return saved


def _causes(rule: AlertRule) -> tuple[str, float | None]:
    """What tells its causes from those of another rule."""
    return rule.kind, rule.settings.get("horizon")


def _remove(store: Store, rule_id: str, caller: Caller) -> None:
    remove_rule(store, _find(store, rule_id, caller))


def _test(store: Store, rule_id: str, caller: Caller) -> list[Message]:
    return write_test(store, _find(store, rule_id, caller))


def _messages(store: Store, caller: Caller, rule_id: str | None) -> list[Message]:
    own = {one.rule_id for one in visible_rules(store, caller.name, every=caller.admin)}
    return list_messages(store, own if rule_id is None else own & {rule_id})


def _micros(moment: datetime) -> int:
    return (moment - EARLIEST) // moment.resolution


def _page(
    rows: list[Any], places: list[tuple[int, str]], cursor: str | None, size: int
) -> tuple[list[Any], str | None]:
    """Rows after the cursor's place, of rows whose places fall, and the cursor of the page after them."""
    start = 0
    if cursor is not None:
        moment, name = place_of(cursor, (int, str))
        start = next((n for n, place in enumerate(places) if place < (moment, name)), len(rows))
    end = start + size
    return rows[start:end], cursor_of(places[end - 1]) if end < len(rows) else None
