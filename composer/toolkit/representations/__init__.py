"""Quantizing, note arrays and controls on notes."""
