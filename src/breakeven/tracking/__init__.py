"""MLflow: runs, metrics, the model registry. No other folder imports it."""
