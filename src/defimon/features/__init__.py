"""Features: what a model looks at, one file a group."""
