"""Breakeven: which optimization of a PyTorch model pays off, where, and at what cost in accuracy."""

__version__ = "0.1.0"
