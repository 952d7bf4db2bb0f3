"""Datasets: one file each. A dataset finds or downloads its files, and reads them."""
