"""The connection to MLflow: runs, metrics and the model registry. No other folder imports MLflow."""
