"""Where generated pieces go."""
