"""Reward tokens that depositors of a reserve are paid, as the market's RewardsController has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from defimon.core.errors import BadData
from defimon.sources._aave_calls import (
    INCENTIVES,
    LATEST_ANSWER,
    NOBODY,
    address_in,
    addresses_in,
    reward_data_call,
    reward_oracle_call,
    rewards_call,
    words,
)
from defimon.sources._evm_ahead import Ahead
from defimon.sources._evm_tokens import DECIMALS, decimals_in, number_in, told


@dataclass(frozen=True, slots=True)
class Reward:
    """`per_second` base units of `token` for all depositors together, until `end` (seconds since 1970);
    `price` is dollars a token, None where its feed does not tell.
    """

    token: str
    per_second: int
    end: int
    decimals: int
    price: float | None


async def read_rewards(ahead: Ahead, deposits: Sequence[str]) -> list[tuple[Reward, ...]]:
    """Rewards of each aToken, in the order given; none where it has no controller of the known kind."""
    answers = await ahead.ask([(one, INCENTIVES) for one in deposits])
    controllers = [told(address_in, answer) or NOBODY for answer in answers]
    pairs = [
        (one, controller)
        for one, controller in zip(deposits, controllers, strict=True)
        if controller != NOBODY
    ]
    lists = await ahead.ask([(controller, rewards_call(one)) for one, controller in pairs])
    wanted = [
        (one, controller, token)
        for (one, controller), answer in zip(pairs, lists, strict=True)
        for token in told(addresses_in, answer) or ()
    ]
    found: dict[str, list[Reward]] = {}
    for (one, _, _), reward in zip(wanted, await _rewards(ahead, wanted), strict=True):
        if reward is not None:
            found.setdefault(one, []).append(reward)
    return [tuple(found.get(one, ())) for one in deposits]


async def _rewards(ahead: Ahead, wanted: Sequence[tuple[str, str, str]]) -> list[Reward | None]:
    facts = await ahead.ask([(controller, reward_data_call(one, token)) for one, controller, token in wanted])
    places = await ahead.ask([(controller, reward_oracle_call(token)) for _, controller, token in wanted])
    scales = await ahead.ask([(token, DECIMALS) for _, _, token in wanted])
    feeds = [told(address_in, answer) or NOBODY for answer in places]
    prices = await ahead.ask([(feed, LATEST_ANSWER) for feed in feeds])
    digits = await ahead.ask([(feed, DECIMALS) for feed in feeds])
    return [
        _reward(token, fact, told(decimals_in, scale), _price(price, told(decimals_in, digit)))
        for (_, _, token), fact, scale, price, digit in zip(
            wanted, facts, scales, prices, digits, strict=True
        )
    ]


def _reward(token: str, facts: bytes | BadData, decimals: int | None, price: float | None) -> Reward | None:
    if decimals is None or isinstance(facts, BadData):
        return None
    _, per_second, _, end = words(facts, 4)
    return Reward(token, per_second, end, decimals, price)


def _price(answer: bytes | BadData, digits: int | None) -> float | None:
    """What a feed tells; None where it tells nothing or a negative number, which feeds can."""
    found = told(number_in, answer)
    if found is None or digits is None or found >> 255:
        return None
    return float(found / 10**digits)
