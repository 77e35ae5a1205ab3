"""The regular ABC dialect that models are trained on, and how any tune is rewritten into it."""
