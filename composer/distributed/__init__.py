"""Process group for data-parallel training."""
