"""Pool types: one file each, every answer equal to the contract of that type."""
