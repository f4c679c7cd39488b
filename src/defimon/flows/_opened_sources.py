"""Sources as the settings configure them, with the series that they are asked to follow."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType

from defimon.core.chains import chain_named
from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.flows._raw_answers import keep_once
from defimon.flows._store_thread import StoreThread
from defimon.sources._base import FAMILY
from defimon.sources._http import Answer, Http
from defimon.sources._series import Series, SeriesSource

Wanted = list[tuple[SeriesSource, Series]]


@cache
def series_sources() -> Mapping[str, type[SeriesSource]]:
    """Every source that is collected piece by piece, by name; looked up once."""
    members = {name: FAMILY.load(name) for name in FAMILY.names()}
    found = {name: member for name, member in members.items() if issubclass(member, SeriesSource)}
    return MappingProxyType(found)


def opened_sources(
    http: Http,
    settings: Settings,
    names: Sequence[str] = (),
    chains: Sequence[str] = (),
    thread: StoreThread | None = None,
) -> Wanted:
    """Series of the named sources and chains, of all where none is named, as `series_now` of them."""
    return series_now(open_each(http, settings, names, chains, thread), chains)


def series_now(sources: Sequence[SeriesSource], chains: Sequence[str]) -> Wanted:
    """Series that the sources have by now, of those chains: a folder may have got a file."""
    places = _places(chains)
    pairs = [(source, series) for source in sources for series in source.series()]
    return [(source, series) for source, series in pairs if not places or series.chain in places]


def open_each(
    http: Http,
    settings: Settings,
    names: Sequence[str] = (),
    chains: Sequence[str] = (),
    thread: StoreThread | None = None,
) -> list[SeriesSource]:
    """The named sources, or all where none is named; answers are kept by `thread`.

    Raises FixSettings for a name that is none, of a chain too, and for settings that do not fit.
    """
    sources = series_sources()
    for name in names:
        if name not in sources:
            raise _no_source(name, sources)
    _places(chains)

    def keep(source: str) -> Callable[[Answer], None]:
        if thread is None:
            return lambda _: None
        return lambda answer: thread.soon(partial(keep_once, answer=answer, source=source))

    return [
        member.opened(http, settings, keep(name))
        for name, member in sources.items()
        if name in names or not names
    ]


def _places(chains: Sequence[str]) -> set[str]:
    return {chain_named(name, variable="--chain").name for name in chains}


def refuse_nothing(wanted: Wanted, names: Sequence[str], chains: Sequence[str]) -> None:
    """Raises FixSettings that names the variables to set, where nothing is to be collected."""
    if wanted:
        return
    places = [chain_named(name).name for name in chains]
    members = {name: member for name, member in series_sources().items() if name in names or not names}
    told = []
    for name, member in members.items():
        variables = [
            variable.replace("<CHAIN>", place.upper())
            for variable in member.configured_by
            for place in (places or ["<CHAIN>"])
        ]
        if variables:
            told.append(f"{' or '.join(dict.fromkeys(variables))} for {name}")
    of = f" of {', '.join(places)}" if places else ""
    raise FixSettings(
        f"There is nothing{of} to collect: no source{' of these' if names else ''} is configured.",
        variable=told[0].split(maxsplit=1)[0] if told else "source",
        remedy=f"Set {'; '.join(told)}. docs/settings.md explains them." if told else "",
    )


def _no_source(name: str, sources: Mapping[str, type[SeriesSource]]) -> FixSettings:
    if name in FAMILY.names():
        remedy = "It is a format of files: `defimon import FILE` reads them."
        return FixSettings(f"{name} is not collected.", variable="source", remedy=remedy)
    near = difflib.get_close_matches(name.lower(), sources, n=3)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return FixSettings(
        f"{name[:60]!r} is no source.", variable="source", remedy=f"{hint}Known: {', '.join(sources)}."
    )
