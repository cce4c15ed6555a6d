"""Show results to people: a page of photos for browsers, a summary, differences of runs."""
