"""A CoinGecko on loopback: markets, and history by the granularity rules that it documents."""

import json
import re
from datetime import UTC, datetime, timedelta

from werkzeug import Response

FIVE_MINUTES, HOUR, DAY = 300, 3_600, 86_400

TOO_OLD = {
    "error": {
        "status": {
            "timestamp": "2026-09-30T09:00:00.000+00:00",
            "error_code": 10012,
            "error_message": "Your request exceeds the allowed time range. Public API users are limited to"
            " querying historical data within the past 365 days.",
        }
    }
}
TOO_MANY = {"status": {"error_code": 429, "error_message": "You've exceeded the Rate Limit."}}


def market(coin, price, **changes):
    return {
        "id": coin,
        "symbol": coin[:3],
        "name": coin.title(),
        "current_price": price,
        "market_cap": price * 1e6,
        "total_volume": price * 1e4,
        "high_24h": price * 1.1,
        "low_24h": price * 0.9,
        "circulating_supply": 1e6,
        "total_supply": 2e6,
        "max_supply": None,
        "last_updated": "2026-01-05T12:00:30.123Z",
        **changes,
    }


class PlayedCoinGecko:
    """Prices are functions of time, so that a figure can be told from any other."""

    def __init__(self, server, *, key=""):
        self.coins = {"astar": market("astar", 0.05), "ethereum": market("ethereum", 2_000.0)}
        self.key = key
        self.answers = []
        self.asked = []
        self.born = datetime(2020, 1, 1, tzinfo=UTC)
        self.edit = {}
        self.url = server.url_for("").rstrip("/")
        server.expect_request(re.compile("^/")).respond_with_handler(self)

    def __call__(self, request):
        self.asked.append(request.full_path)
        if self.key and request.headers.get("x-cg-demo-api-key") != self.key:
            return Response("{}", status=401)
        if self.answers:
            return self.answers.pop(0)
        if request.path == "/coins/markets":
            ids = request.args["ids"].split(",")
            return _json([self.coins[coin] for coin in ids if coin in self.coins])
        found = re.fullmatch(r"/coins/([^/]+)/market_chart/range", request.path)
        if found is None or found[1] not in self.coins:
            return _json({"error": "coin not found"}, status=404)
        return self._range(float(request.args["from"]), float(request.args["to"]))

    def _range(self, start, end):
        now = datetime.now(UTC).timestamp()
        if start < now - 365 * DAY:
            return _json(TOO_OLD, status=401)
        step = HOUR
        if end - start > 90 * DAY:
            step = DAY
        elif end - start <= DAY and start >= now - DAY:
            step = FIVE_MINUTES
        first = max(start, self.born.timestamp())
        whole = range(int(first // step) * step, int(end) + 1, step)
        stamps = [at * 1_000 + 123 for at in whole if first <= at + 0.123 <= end]
        return _json(
            {
                "prices": [[at, self.edit.get(at, price_at(at))] for at in stamps],
                "market_caps": [[at, 0] for at in stamps],
                "total_volumes": [[at, at / 1e9] for at in stamps],
            }
        )


def price_at(milliseconds):
    return 1.0 + milliseconds % (DAY * 1_000) / 1e9


def hours_ago(hours):
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return now - timedelta(hours=hours)


def _json(value, status=200):
    return Response(json.dumps(value), status=status, content_type="application/json")
