"""Records <-> files: one schema, and a module for each format."""
