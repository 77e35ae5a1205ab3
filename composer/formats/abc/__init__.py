"""ABC notation: read (all of it), checked, rewritten into a small regular dialect, and written."""
