"""What the services of the world that answer over plain HTTP share."""

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

from seeded_faults import CALM, draw_weather


class WebService:
    """One service at one address. `now` is its time; `start` that of the first visit.

    `is_snapshot` names the series that only tell what is now: a visit that misses them loses them.
    """

    kinds = ()

    def __init__(self, seed, rng, start):
        self.seed, self.start, self.now = seed, start, start
        self.times = set()
        self.skew = timedelta(seconds=int(rng.choice([0, 0, -90, 120])))
        self.calm(start)

    @staticmethod
    def is_snapshot(_):
        return False

    def url(self, server, place, rng):
        away = rng is not None and rng.random() < 0.05
        return server.nowhere if away else server.url(place)

    def troubled(self, seed, rng, now):
        self.now, self._weather = now, draw_weather(seed, rng, self.kinds)
        self.times.add(now)

    def calm(self, now):
        self.now, self._weather = now, CALM
        self.times.add(now)

    def weather(self, _):
        return self._weather

    def key(self, asked):
        return asked.body

    def answer(self, asked, dice):
        self.faults = [self._weather.own_fault(dice)]
        reply = self.true_answer(asked, dice, self.faults[0])
        date = format_datetime(self.now + self.skew, usegmt=True)
        return replace(reply, headers={"Date": date, **reply.headers})

    @staticmethod
    def comparable(_, rows):
        return rows

    def told_faults(self):
        return self.faults

    def problems(self, record, *, ended):  # noqa: ARG002 - a service may have nothing of its own to check
        return []
