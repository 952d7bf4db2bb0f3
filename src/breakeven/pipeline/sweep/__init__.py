"""Hydra multirun: plan, compose, run, launch."""
