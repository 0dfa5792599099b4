"""Strokes: read, write, draw, degrade. No torch, no datasets."""
