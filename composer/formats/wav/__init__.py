"""WAV: sound, which is written but not read."""
