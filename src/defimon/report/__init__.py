"""The report: one self-contained page that can be kept, mailed and printed."""
