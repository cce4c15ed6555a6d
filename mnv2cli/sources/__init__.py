"""Paths, patterns, lists and URLs -> image sources, in a stable order."""
