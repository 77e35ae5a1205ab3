"""Voices: notes of one part separated by voice leading, and how they are written on staves."""
