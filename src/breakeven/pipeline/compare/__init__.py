"""The comparison of two commits, measured now or by their stored results."""
