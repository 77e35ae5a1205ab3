"""What `composer show` shows: pieces on the terminal, and pictures in files."""
