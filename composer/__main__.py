"""`python -m composer`: the same as the command `composer`."""

from composer.cli.app import main

if __name__ == "__main__":
    main()
