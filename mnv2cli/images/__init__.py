"""A file -> pixels as the network takes them, or the reason why not."""
