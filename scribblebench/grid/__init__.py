"""Grids: which cells there are, and running those that are missing."""
