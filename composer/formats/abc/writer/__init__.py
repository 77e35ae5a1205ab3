"""Scores into ABC text."""
