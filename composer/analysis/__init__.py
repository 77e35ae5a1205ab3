"""Likelihood, surprisal, metrics and copying."""
