"""Rows and records on disk, and what follows from them: recommendation, trends, fronts."""
