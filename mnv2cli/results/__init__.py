"""Records to files and back: one schema, and one module for each format."""
