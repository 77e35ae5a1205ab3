"""What `composer eval` measures and reports."""
