"""Architectures: one file each. Any other importable constructor serves as well, by its `_target_`."""
