"""What knows no domain: errors, files, paths, the plugin loader, the cache, locks, progress, the machine."""
