"""MIDI files: parsing, reading, writing."""
