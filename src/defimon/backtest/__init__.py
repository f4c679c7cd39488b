"""Backtests: what a rule would have earned after costs, and how likely the result is luck."""
