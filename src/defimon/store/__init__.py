"""The store: tables in SQLite or PostgreSQL, and model artefacts on disk."""
