"""Compressions of a model: one file each."""
