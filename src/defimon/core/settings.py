"""Settings: frozen, read from DEFIMON_… variables, and refusing what they do not know."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from defimon.core._variables import PREFIX, values_in
from defimon.core.channels import channels_of
from defimon.core.errors import FixSettings

__all__ = ["PREFIX", "Settings", "load_settings"]


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

    rpc: Mapping[str, tuple[SecretStr, ...]] = Field(
        default_factory=dict,
        description="EVM nodes of a chain, http or ws addresses by commas: DEFIMON_RPC_ASTAR=url,url.",
    )
    substrate: Mapping[str, tuple[SecretStr, ...]] = Field(
        default_factory=dict,
        description="Substrate nodes of a chain, likewise: DEFIMON_SUBSTRATE_ASTAR=url,url.",
    )
    etherscan_key: SecretStr | None = Field(
        default=None,
        description="Key of Etherscan V2; without one Blockscout answers where it serves a chain.",
    )
    etherscan_url: str = Field(
        default="https://api.etherscan.io/v2/api", description="Address of Etherscan V2."
    )
    blockscout_url: str = Field(
        default="", description="Address of one Blockscout for all chains; the chain's own unless set."
    )
    coingecko_key: SecretStr | None = Field(default=None, description="Demo key of CoinGecko.")
    coingecko_url: str = Field(
        default="https://api.coingecko.com/api/v3", description="Address of CoinGecko."
    )
    llama_url: str = Field(
        default="https://api.llama.fi", description="Address of DefiLlama's protocols, TVL, volumes and fees."
    )
    stablecoins_url: str = Field(
        default="https://stablecoins.llama.fi", description="Address of DefiLlama's stablecoins."
    )
    github_token: SecretStr | None = Field(default=None, description="Token of GitHub: 5,000 calls an hour.")
    github_url: str = Field(default="https://api.github.com", description="Address of GitHub's API.")
    repositories: tuple[str, ...] = Field(
        default=(), description="Repositories to follow, owner/name, separated by commas."
    )
    coins: tuple[str, ...] = Field(
        default=(), description="Coins to follow, by their CoinGecko ids, separated by commas."
    )
    protocols: tuple[str, ...] = Field(
        default=(), description="Protocols to follow, by their DefiLlama slugs, separated by commas."
    )
    contracts: tuple[str, ...] = Field(
        default=(), description="Contracts to describe, chain:0xaddress, separated by commas."
    )
    aave_markets: tuple[str, ...] = Field(
        default=(),
        description="Aave v3 markets to read, chain:0xaddress of the PoolAddressesProvider, by commas.",
    )
    accounts: tuple[str, ...] = Field(
        default=(), description="Accounts whose balances to read, chain:0xaddress, separated by commas."
    )
    tokens: tuple[str, ...] = Field(
        default=(),
        description="ERC-20 tokens whose supply and balances to read, chain:0xaddress, by commas.",
    )
    exchange_pools: tuple[str, ...] = Field(
        default=(), description="Uniswap v2 and v3 pools to read, chain:0xaddress, separated by commas."
    )
    redis_url: SecretStr | None = Field(
        default=None, description="redis://… to share the job queue among many workers."
    )
    files: Path | None = Field(
        default=None, description="Folder of files to import, each once and again when it changes."
    )
    raw_keep_days: int = Field(
        default=14, ge=1, description="Days for which raw answers of all pools and of nodes are kept whole."
    )
    raw_keep_mb: int = Field(
        default=20_000, ge=1, description="Megabytes of raw answers; over it the oldest lose their bodies."
    )
    lease_s: int = Field(
        default=120, ge=1, description="Seconds after which a run whose worker fell silent is another's."
    )
    yields_every_s: int = Field(default=900, ge=60, description="Pace of yields, seconds.")
    prices_every_s: int = Field(default=3_600, ge=60, description="Pace of prices, seconds.")
    chains_every_s: int = Field(default=60, ge=5, description="Pace at which chains are followed, seconds.")
    development_every_s: int = Field(default=86_400, ge=600, description="Pace of code activity, seconds.")

    alert_channels: Mapping[str, SecretStr] = Field(
        default_factory=dict,
        description="Where alerts go: name=address of apprise, by commas, such as ops=mailtos://….",
    )
    alerts_every_s: int = Field(default=300, ge=10, description="Pace at which alerts are judged, seconds.")
    backtests_at_once: int = Field(
        default=2, ge=1, description="Backtests that workers on one store run beside each other."
    )
    backtest_rows: int = Field(default=3_000_000, ge=1, description="Days of pools that a backtest may read.")
    backtests_keep_days: int = Field(default=90, ge=1, description="Days for which ended backtests are kept.")
    retrain_every_s: int = Field(
        default=604_800, ge=3_600, description="Pace at which a challenger is trained, seconds."
    )
    challenger_share: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="Share of pools, the same ones each day, that a proven challenger answers for (A/B).",
    )
    promote: str = Field(
        default="hand",
        pattern="^(hand|gate)$",
        description="Who promotes a challenger that passes the gate: a person, or the training itself.",
    )

    api_open: str = Field(
        default="loopback",
        pattern="^(never|loopback|always)$",
        description="Who may read without a key: nobody, callers on this machine, or everybody.",
    )
    api_origins: tuple[str, ...] = Field(
        default=(), description="Web pages that may call the API from a browser (CORS), by commas."
    )
    api_rate: str = Field(
        default="1200/minute",
        pattern="^[1-9][0-9]{0,8}/(second|minute|hour)$",
        description="Requests that a key, or an address without one, may make.",
    )
    api_body_bytes: int = Field(default=2_097_152, ge=1_024, description="Largest body of a request, bytes.")
    api_time_s: float = Field(default=30.0, gt=0, description="Longest time of a request, seconds.")
    api_page_rows: int = Field(default=5_000, ge=1, description="Most rows of one page of an answer.")
    api_drain_s: float = Field(
        default=0.0,
        ge=0,
        description="Seconds for which a server that was told to stop still answers, while /ready says 503.",
    )
    api_log: bool = Field(default=True, description="A log line of level INFO for every request.")
    api_refresh_s: float = Field(
        default=30.0, gt=0, description="Age at which the API looks for new data, seconds."
    )

    @property
    def followed_chains(self) -> tuple[str, ...]:
        """Chains that have a node of either dialect, by name."""
        return tuple(sorted({*filter(self.rpc.get, self.rpc), *filter(self.substrate.get, self.substrate)}))

    @field_validator(
        "defillama_protocols",
        "defillama_chains",
        "repositories",
        "coins",
        "protocols",
        "contracts",
        "aave_markets",
        "accounts",
        "tokens",
        "exchange_pools",
        "api_origins",
        mode="before",
    )
    @classmethod
    def _from_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("alert_channels", mode="before")
    @classmethod
    def _channels(cls, value: object) -> object:
        return channels_of(value) if isinstance(value, str) else value

    @field_validator("rpc", "substrate", mode="before")
    @classmethod
    def _addresses(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {name: cls._from_commas(addresses) for name, addresses in value.items()}

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

    A variable that is empty counts as unset. Raises FixSettings that names the variable: for one that is
    unknown (with near matches) or whose value does not fit (without repeating it, since it may be a secret).
    """
    values = values_in(os.environ if environment is None else environment, Settings.model_fields)
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
