"""The ladders: one file for each compiler whose passes can be told apart."""
