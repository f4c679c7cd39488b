"""How people reach defimon."""
