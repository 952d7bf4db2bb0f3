"""The service of a deployed variant, and the load generator that measures it."""
