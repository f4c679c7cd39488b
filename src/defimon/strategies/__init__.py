"""Strategies: where the money should be, one file each."""
