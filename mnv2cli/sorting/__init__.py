"""Records -> a plan -> moves, with a journal and undo."""
