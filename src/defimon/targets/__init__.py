"""Targets: what is predicted, one file each."""
