"""Hidden states of a trained model over pieces: what its units respond to, and pieces compared by them."""
