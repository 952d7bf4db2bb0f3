"""How many requests a second a variant serves, and how much faster than the baseline it answers them."""
