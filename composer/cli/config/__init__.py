"""The user's defaults of options: a TOML file, how commands use it, and `composer config`."""
