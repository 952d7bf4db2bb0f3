"""Changes to the weights: one file each."""
