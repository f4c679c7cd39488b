"""Pools of automated market makers, exact to the last base unit: quotes, size, routes, positions."""
