"""Hydra's plugin for projects whose `conf/` adds to the options that the package ships."""
