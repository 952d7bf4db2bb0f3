"""The pipeline that runs studies: stages, sweeps, training, comparison of commits."""
