"""Man pages, completions and help, written from the commands."""
