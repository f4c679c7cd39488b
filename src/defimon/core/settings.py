"""Settings: frozen, read from DEFIMON_… variables, and refusing what they do not know."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from defimon.core.errors import FixSettings

PREFIX = "DEFIMON_"


class Settings(BaseSettings):
    """What a person may set by environment. `repr` masks secrets."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("defimon", appauthor=False),
        description="Folder of the database and of artefacts; the platform's data folder unless set.",
    )
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://… to use PostgreSQL in place of SQLite."
    )
    data_sets: Path | None = Field(
        default=None, description="Folder of recorded real data sets for benchmarks and an offline run."
    )
    threads: int = Field(default=1, ge=1, description="Threads a fit may use.")
    processes: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        description="Processes that fit beside each other; one a core unless set.",
    )
    seed: int = Field(default=7, ge=0, description="Seed of every random choice.")
    device: str = Field(default="auto", pattern="^(auto|cpu|cuda)$", description="Where networks are fitted.")
    log_level: str = Field(
        default="WARNING", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Log level."
    )
    log_json: bool = Field(default=False, description="Log lines as JSON.")
    defillama_url: str = Field(default="https://yields.llama.fi", description="Address of the yield service.")
    defillama_pools: int = Field(default=80, ge=1, description="How many pools to follow, largest TVL first.")
    defillama_min_tvl_usd: float = Field(default=1e6, ge=0, description="Smallest pool that is followed.")
    defillama_protocols: tuple[str, ...] = Field(
        default=(), description="Only these protocols, separated by commas; all when empty."
    )
    defillama_chains: tuple[str, ...] = Field(
        default=(), description="Only these chains, separated by commas; all when empty."
    )
    defillama_stablecoins: bool = Field(default=False, description="Only stablecoin pools.")

    @field_validator("defillama_protocols", "defillama_chains", mode="before")
    @classmethod
    def _from_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` hands over, which reads the environment and refuses what is unknown."""
        return (init_settings,)


def load_settings(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Settings from the process's DEFIMON_… variables; `given` wins over them.

    Raises FixSettings that names the variable: for one that is unknown (with near matches) or whose value
    does not fit (without repeating it, since it may be a secret).
    """
    environment = os.environ if environment is None else environment
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for variable in sorted(environment):
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            near = difflib.get_close_matches(variable.upper(), known, n=2)
            hint = f"Did you mean {' or '.join(near)}? " if near else ""
            raise FixSettings(
                f"{variable} is not a setting.",
                variable=variable,
                remedy=f"{hint}Known: {', '.join(sorted(known))}.",
            )
    values = {
        variable.upper().removeprefix(PREFIX).lower(): value
        for variable, value in environment.items()
        if variable.upper() in known
    }
    try:
        return Settings(**{**values, **given})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = str(first["loc"][0])
        raise FixSettings(
            f"{PREFIX}{name.upper()} does not fit: {first['msg']}.",
            variable=f"{PREFIX}{name.upper()}",
            remedy=Settings.model_fields[name].description or "" if name in Settings.model_fields else "",
        ) from None
