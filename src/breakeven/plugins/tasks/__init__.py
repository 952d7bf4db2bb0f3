"""Tasks: what a model is for, and so how its outputs are scored. One file each."""
