"""The automaton that keeps generated ABC valid and within the controls."""
