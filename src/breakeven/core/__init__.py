"""Building blocks of no domain: errors, files, paths, plugins, the cache, locks, progress, the machine."""
