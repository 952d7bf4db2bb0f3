"""The commands of `breakeven`. Each module has a help text (its first line), `arguments` and `run`."""
