"""Runs that can be resumed, sharded and merged, and their log."""
