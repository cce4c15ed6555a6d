"""What reports show of learning: the photos, and a panel with the figures."""
