"""Rules that judge rows: a rule flags a row or keeps it apart, and never deletes it."""
