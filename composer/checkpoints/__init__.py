"""The checkpoint file format, the user's models, and loading them."""
