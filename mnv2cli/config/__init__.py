"""Config files: where they are, and what they contain; the command line gives them a meaning."""
