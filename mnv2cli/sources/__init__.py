"""Paths, globs, lists and URLs -> image sources, in a stable order."""
