"""The command `breakeven-sweep` on top of Hydra's multirun: it composes, launches, runs and records jobs."""
