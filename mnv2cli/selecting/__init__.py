"""Select photos by their labels: rows of results, or photos in folders."""
