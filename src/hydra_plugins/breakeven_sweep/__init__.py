"""Hydra's plugins of `breakeven-sweep`: a sweeper, and submitit's launchers.

Hydra imports them in every process that uses it, in DVC's as well. So they import Hydra only, until they work.
"""
