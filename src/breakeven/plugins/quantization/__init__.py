"""Toolchains for int8: one file each."""
