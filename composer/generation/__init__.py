"""Generating pieces from a trained model."""
