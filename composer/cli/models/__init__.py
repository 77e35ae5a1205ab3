"""`composer models`: list the trained models, and manage the user's own."""
