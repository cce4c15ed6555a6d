"""A watched folder: photos are sorted, tagged or classified as they arrive."""
