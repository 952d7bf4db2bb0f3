"""Hydra's plugins of `breakeven-sweep`: a sweeper, and submitit's launchers.

Hydra imports them in every process that uses it, also in DVC's. So they import only Hydra until they run.
"""
