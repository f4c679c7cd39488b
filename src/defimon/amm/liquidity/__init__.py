"""What a liquidity position is worth and earned."""
