"""The worker: a scheduler and consumers that run jobs slot by slot."""
