"""The measuring engine: workers, schedule and statistics. It imports neither DVC, Hydra nor MLflow."""
