"""The stages of the DVC pipeline, one in each file."""
