"""The command line: one thin file for each command, and the text that commands print."""
