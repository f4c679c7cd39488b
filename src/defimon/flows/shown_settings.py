"""Settings that a caller of the service may see."""

from typing import Any

from defimon.core.settings import PREFIX, Settings


def shown_settings(settings: Settings) -> dict[str, Any]:
    """`settings` holds numbers, flags and lists by variable; of secrets, addresses and folders `set` tells
    only whether they are there, since an address may carry a key. Of accounts that are followed `settings`
    has the number, since they are somebody's. `database` is its kind.
    """
    shown: dict[str, Any] = {}
    hidden: dict[str, bool] = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        variable = f"{PREFIX}{name.upper()}"
        if name == "accounts":
            shown[variable] = len(value)
        elif _is_plain(name, value):
            shown[variable] = list(value) if isinstance(value, tuple) else value
        else:
            hidden[variable] = value != field.default if field.default_factory is None else bool(value)
    shown[f"{PREFIX}CHAINS"] = list(settings.followed_chains)
    database = "sqlite" if settings.database_url is None else "postgresql"
    return {"database": database, "settings": shown, "set": hidden}


def _is_plain(name: str, value: object) -> bool:
    if name.endswith("_url") or name == "api_origins":
        return False
    texts = isinstance(value, tuple) and all(isinstance(one, str) for one in value)
    return texts or isinstance(value, bool | int | float | str)
