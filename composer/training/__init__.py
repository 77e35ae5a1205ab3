"""The training loop, its events, validation and resume."""
