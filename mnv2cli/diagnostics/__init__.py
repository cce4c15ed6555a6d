"""Whether and how fast this machine can do the work."""
