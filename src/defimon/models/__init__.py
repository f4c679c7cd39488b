"""Models: one file each, any model for any target. Only `_base` is imported when the room is."""
