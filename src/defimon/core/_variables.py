"""DEFIMON_… variables by the fields of the settings that they set."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from defimon.core.chains import chain_named
from defimon.core.errors import FixSettings

PREFIX = "DEFIMON_"

FAMILIES = ("rpc", "substrate")
"""Settings of which there is one a chain: DEFIMON_RPC_ASTAR, and so on."""


def values_in(environment: Mapping[str, str], fields: Collection[str]) -> dict[str, Any]:
    """Texts by field, and by chain where there is one a chain; a variable that is empty counts as unset.

    Raises FixSettings for a variable that sets none of the fields.
    """
    values: dict[str, Any] = {}
    for variable in sorted(environment):
        if variable.upper().startswith(PREFIX):
            name, chain = _placed(variable, fields)
            if not environment[variable].strip():
                continue
            if chain:
                values.setdefault(name, {})[chain] = environment[variable]
            else:
                values[name] = environment[variable]
    return values


def _placed(variable: str, fields: Collection[str]) -> tuple[str, str]:
    """Field that a variable sets, and the chain it is for, if any. Raises FixSettings for an unknown one."""
    name = variable.upper().removeprefix(PREFIX).lower()
    for family in FAMILIES:
        if name.startswith(f"{family}_"):
            return family, chain_named(name.removeprefix(f"{family}_"), variable=variable).name
    known = [field for field in fields if field not in FAMILIES]
    if name not in known:
        shown = {f"{PREFIX}{field.upper()}" for field in known}
        near = difflib.get_close_matches(variable.upper(), shown, n=2)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        families = ", ".join(f"{PREFIX}{family.upper()}_<CHAIN>" for family in FAMILIES)
        raise FixSettings(
            f"{variable} is not a setting.",
            variable=variable,
            remedy=f"{hint}Known: {', '.join(sorted(shown))}, {families}.",
        )
    return name, ""
