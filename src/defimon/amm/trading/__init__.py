"""What to do with pools: best size, best route, arbitrage."""
