"""`composer gen --choose`: a piece that is chosen phrase by phrase from continuations."""
