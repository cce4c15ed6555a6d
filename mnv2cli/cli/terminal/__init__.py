"""What the terminal shows: consoles, progress, tables, text and help."""
