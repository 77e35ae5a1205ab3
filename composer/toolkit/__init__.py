"""Optional building blocks for plugin authors."""
