"""Result rows and records on disk, and what is computed from them: recommendations, trends, Pareto fronts."""
