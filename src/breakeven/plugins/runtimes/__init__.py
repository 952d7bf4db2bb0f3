"""Runtimes: one file each. A runtime turns a model into files, and executes them."""
