"""How a study is run: stages, sweeps, training, comparison of commits."""
