"""The page of an evaluation: one HTML file without scripts, for any browser, also offline."""
