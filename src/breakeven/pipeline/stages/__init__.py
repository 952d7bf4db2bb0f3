"""One file a DVC stage: load, do, save, log."""
