"""Shell completion: the scripts, what the program answers them, and the values of options."""
