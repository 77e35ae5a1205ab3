"""Playing music in the terminal: pieces, keys and the piano roll with a cursor."""
