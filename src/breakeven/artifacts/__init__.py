"""Files on disk, and how they are loaded: datasets, models, exported artifacts, preprocessing."""
