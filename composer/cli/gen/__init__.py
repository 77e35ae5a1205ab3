"""What `composer gen` does, between its options and its output."""
