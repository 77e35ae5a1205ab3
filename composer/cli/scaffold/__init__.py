"""Start a plugin: write a package from templates."""
