"""A run that can be resumed, sharded and merged, and its log."""
