"""Two commits, or two stored results, side by side."""
