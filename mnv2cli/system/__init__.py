"""This machine: files that appear whole, hardware, what is installed."""
