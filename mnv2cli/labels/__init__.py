"""Class ids -> names, ranks, the WordNet tree and categories."""
