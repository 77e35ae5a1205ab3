"""`python -m composer`: the same as the command `composer`."""

from composer.cli.app import command

if __name__ == "__main__":
    command()
