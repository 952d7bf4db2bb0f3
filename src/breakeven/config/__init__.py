"""The configuration of a study: its schema, its composition by Hydra, and its checks."""
