"""What `composer train` does, between its options and its model."""
