"""Playing music in time: through a MIDI port, or with the programs that the machine has."""
