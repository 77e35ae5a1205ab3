"""Check music files for errors: `examine` looks at one file, `collection` at many and at duplicates among them."""
