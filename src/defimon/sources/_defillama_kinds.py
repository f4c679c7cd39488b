"""What the protocols of DefiLlama's yield pages do: lend, stake or exchange."""

import polars as pl

KIND_OF_PROTOCOL: dict[str, str] = {
    # Categories of DefiLlama's protocol list (api.llama.fi/protocols): Lending; Liquid Staking and Liquid
    # Restaking; Dexs. Slugs as the field `project` of yields.llama.fi/pools spells them (the adaptor folders
    # of github.com/DefiLlama/yield-server). Vaults, farms, stablecoin issuers and bridges are other.
    slug: kind
    for kind, slugs in {
        "lending": """
            aave-v2 aave-v3 aries-markets avalon-finance benqi-lending clearpool compound-v2 compound-v3
            dolomite echelon-market euler-v2 flux-finance fluid-lending fraxlend gearbox hyperlend-pooled
            ionic-protocol iron-bank jupiter-lend justlend kamino-lend layerbank lista-lending maple
            marginfi-lending moonwell-lending morpho-blue morpho-v1 navi-lending radiant-v2 save
            scallop-lend seamless-v1 silo-v2 sparklend strike suilend tectonic venus-core-pool
            venus-isolated-pools zerolend""",
        "staking": """
            amnis-finance ankr bedrock-unieth benqi-staked-avax binance-staked-eth binance-staked-sol
            blazestake coinbase-wrapped-staked-eth crypto.com-staked-eth ether.fi-stake frax-ether
            haedal-protocol jito-liquid-staking jupiter-staked-sol kelp kinetiq-khype lido liquid-collective
            lista-liquid-staking mantle-staked-eth marinade-liquid-staking meth-protocol origin-ether
            puffer-stake renzo rocket-pool springsui stader stakewise-v2 stride swell-liquid-restaking
            swell-liquid-staking thala-lsd tonstakers treehouse-protocol""",
        "exchange": """
            aerodrome-slipstream aerodrome-v1 balancer-v2 balancer-v3 biswap bluefin-spot camelot-v2
            camelot-v3 cetus-amm cetus-clmm curve-dex ekubo fluid-dex fraxswap hyperion joe-dex joe-v2
            joe-v2.1 joe-v2.2 maverick-v1 maverick-v2 meteora-dlmm orca orca-dex osmosis-dex pancakeswap-amm
            pancakeswap-amm-v3 quickswap-dex quickswap-v3 ramses-cl ramses-v1 raydium-amm
            shadow-exchange-clmm sushiswap sushiswap-v3 thorchain-dex uniswap-v2 uniswap-v3 uniswap-v4
            velodrome-v1 velodrome-v2 velodrome-v3 wombat-exchange""",
    }.items()
    for slug in slugs.split()
}

CHOSEN_KINDS = ("lending", "staking", "exchange")


def kind_of(protocol: pl.Expr) -> pl.Expr:
    """Kind of a protocol slug: lending, staking, exchange, or other for one that is not listed."""
    return protocol.replace_strict(KIND_OF_PROTOCOL, default="other", return_dtype=pl.String())
