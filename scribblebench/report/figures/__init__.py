"""Figures of the report, one a file: each draws on a matplotlib Figure, without pyplot's global state."""
