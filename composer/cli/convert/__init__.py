"""Converting music between formats: reading, writing, and what is lost."""
