"""One file for each way to capture a model as a graph."""
