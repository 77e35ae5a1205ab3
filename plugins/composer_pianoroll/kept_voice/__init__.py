"""A voice of a tune that is kept while the others are generated around it."""
