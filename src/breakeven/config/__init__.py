"""The study's schema, its composition by Hydra, and its checks."""
