"""A seeded CoinGecko: prices now and by the hour, with what it answers when it refuses."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import orjson
from numpy.random import default_rng
from seeded_faults import FAULTS
from seeded_server import Reply
from seeded_web import WebService

HOUR = timedelta(hours=1)
COINS = ("bitcoin", "ethereum", "astar")
KINDS = (*FAULTS, "refused", "no_price", "nothing_told", "late", "negative")


class GeckoService(WebService):
    source = "coingecko"
    places = ("gecko",)
    kinds = KINDS

    def __init__(self, seed, rng, start):
        super().__init__(seed, rng, start)
        self.coins = COINS[: int(rng.integers(1, 3))]

    def environment(self, server, rng=None):
        return {
            "DEFIMON_COINGECKO_URL": self.url(server, "gecko", rng),
            "DEFIMON_COINS": ",".join(self.coins),
        }

    @staticmethod
    def is_snapshot(series):
        return series == "coingecko:markets"

    def true_answer(self, asked, dice, fault):
        parts = urlsplit(asked.target)
        query = parse_qs(parts.query)
        if fault == "refused":
            return _reply({"status": {"error_code": 429, "error_message": "You've exceeded the Rate Limit."}})
        if parts.path == "/coins/markets":
            return _reply([self.market(coin, fault) for coin in query["ids"][0].split(",")])
        coin = parts.path.split("/")[2]
        first, last = (datetime.fromtimestamp(int(query[name][0]), UTC) for name in ("from", "to"))
        return _reply(self.chart(coin, first, min(last, self.now), fault, dice))

    def market(self, coin, fault):
        hour = self.now.replace(minute=7, second=0, microsecond=0)
        updated = hour if hour <= self.now else hour - HOUR
        price = self.price(coin, updated)
        told = {"id": coin, "current_price": price, "market_cap": 0, "total_volume": 7.0,
                "circulating_supply": 1e6, "last_updated": f"{updated:%Y-%m-%dT%H:%M:%S}.123Z"}  # fmt: skip
        if fault == "no_price":
            del told["current_price"]
        return {**told, "current_price": -1.0} if fault == "negative" else told

    def chart(self, coin, first, last, fault, dice):
        hour = first.replace(minute=0, second=0, microsecond=0)
        hours = []
        while hour <= last:
            hours += [hour] if hour >= first else []
            hour += HOUR
        if fault == "late":
            hours = hours[: len(hours) - int(dice.integers(1, 3))]
        if fault == "nothing_told":
            hours = []
        points = [[int(one.timestamp() * 1000), self.price(coin, one)] for one in hours]
        found = {"prices": points, "market_caps": [[stamp, 0] for stamp, _ in points],
                 "total_volumes": [[stamp, 9.0] for stamp, _ in points]}  # fmt: skip
        if fault == "no_price":
            del found["prices"]
        return found

    def price(self, coin, moment):
        return (
            float(default_rng([self.seed, 21, len(coin), int(moment.timestamp())]).integers(1, 10**6)) / 100
        )


def _reply(value):
    return Reply(orjson.dumps(value))
