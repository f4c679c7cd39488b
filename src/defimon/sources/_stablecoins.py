"""Which tokens are stablecoins, by symbol."""

import polars as pl

# Symbols of DefiLlama's stablecoin listing (stablecoins.llama.fi/stablecoins) and the single tokens of the
# pools that its /pools answer of 2025-08-31 marks as stablecoin pools; then spellings of the same coins on
# Aave v3 (m.USDC on Metis, USD₮0, the renamed Mento coins USDm and EURm, ...).
_SYMBOLS = """
    ADAI AGEUR ALUSD AMDAI AMUSDC AMUSDT APEUSD ASUSD AUSD AUSDC AUSDT AUSD₮ AVDAI AVUSDC AVUSDT AXLUSDC
    AXLUSDT BDAI BOLD BUSD BUSDC BUSDT CADC CDAI CDXUSD CEUR CLEVUSD CREAL CRVUSD CUSD CUSDC CUSDO CUSDT DAI
    DEUSD DOLA DUSD DYAD EBUSD EURA EURC EURE EURM EUROC EURQ EURS EURT EUSD EUSDE FDUSD FEI FLEXUSD FPI FRAX
    FRAXBP FRAXPYUSD FRXUSD FUSDT FXUSD GDAI GFUSDT GHO GRAI GUSD GUSDC GYEN HUSD IBEUR IDAI IUSD IUSDC IUSDT
    JEUR LITUSD LUSD LVLUSD M.DAI M.USDC M.USDT MAI MIM MIMATIC MKUSD MONEY MSUSD MULTIDAI MULTIUSDC
    MULTIUSDT MUSD NUSD OMUSD OUSD OUSDT PAI PAR PYUSD REUSD REUSDE RLUSD RSV RUSD RUSDY SCUSD SDAI SDEUSD
    SDOLA SDUSD SEUR SFRXUSD SLVLUSD SSUPERUSD STUSDV SUSD SUSDA SUSDAI SUSDE SUSDS SUSDX SUSDZ SYRUPUSDC
    SYRUPUSDT TACUSD THUSD TUSD USD+ USD0 USD0++ USD3 USDA USDAI USDB USDBC USDC USDC+ USDD USDE USDF USDFI
    USDG USDK USDL USDM USDN USDO USDP USDR USDS USDT USDT+ USDT0 USDTB USDX USDY USDZ USD₮ USD₮0 USN USR UST
    USTC UUSD VAI VCHF VEUR VGBP VST WSTKSCUSD WSTUSR WUSD WUSDM WXDAI XDAI XSGD YBUSD YCDAI YCUSDC YCUSDT
    YDAI YNUSDX YU YUSD YUSDC YUSDT ZCHF
"""

STABLECOINS = frozenset(_SYMBOLS.split())
"""In upper case, without a bridge's suffix such as .e."""

BRIDGE_SUFFIX = r"\.[EBN]$"
"""USDC.e, USDT.e: the same coin brought over a bridge."""


def is_stablecoin(symbol: pl.Expr) -> pl.Expr:
    """Whether every token of a symbol such as USDC or DAI-USDC-USDT is a stablecoin; null stays null.

    A dated principal token (PT-USDe-25SEP2025) is none: its price moves until its date.
    """
    tokens = symbol.str.to_uppercase().str.split("-")
    return tokens.list.eval(
        pl.element().str.strip_chars().str.replace(BRIDGE_SUFFIX, "").is_in(sorted(STABLECOINS))
    ).list.all()
