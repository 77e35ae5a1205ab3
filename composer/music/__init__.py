"""Music theory on plain data: keys, scales, chords, bars, melody."""
