"""Records -> keywords -> sidecars and photos, with a journal and undo."""
