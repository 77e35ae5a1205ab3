"""Plugins by name, and options from key=value."""
