"""Measuring: workers, schedule, statistics. Imports neither DVC, Hydra nor MLflow."""
