"""What every room may use: errors, units, table contracts, settings, provenance, plug-ins."""
