"""The REST API: answers from the store, over HTTP."""
