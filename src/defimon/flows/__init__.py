"""Flows: what a person asks for, from start to end. The only room that knows the others."""
