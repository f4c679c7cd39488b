"""Forecasts of DeFi yields with honest intervals, and what acting on them would have earned.

Importing this package does nothing; the five-line start is in the README.
"""

__version__ = "0.1.0"
