"""The commands of `breakeven`: the first line is the help, `arguments` adds options, `run` does the work."""
