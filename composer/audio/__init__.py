"""Sound from MIDI: timed messages, a small synthesizer, SoundFonts and WAV files."""
