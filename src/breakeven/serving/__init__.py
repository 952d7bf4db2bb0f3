"""A service that answers requests with a variant, its fallback, and the load that it is tested with."""
