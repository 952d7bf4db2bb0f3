"""Hydra's plugins of `breakeven-sweep`: a sweeper, and submitit's launchers.

Hydra imports all plugins in every process that uses Hydra, DVC's included. These plugins therefore import
only Hydra until they run.
"""
