"""Hardware: one file a kind of device."""
