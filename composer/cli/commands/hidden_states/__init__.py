"""Commands that compare pieces by the hidden states of a model."""
