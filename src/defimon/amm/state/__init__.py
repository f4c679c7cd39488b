"""Pool states as JSON documents, and readers of recorded contract answers."""
