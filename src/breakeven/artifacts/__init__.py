"""What lies on disk and how it is loaded: datasets, models, exported artifacts, preprocessing."""
