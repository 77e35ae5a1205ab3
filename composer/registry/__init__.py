"""Plugins by name, and their options from key=value."""
