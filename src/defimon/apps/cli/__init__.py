"""The command line: one file a command, found by looking into this folder."""
