"""Run the command line as ``python -m mnv2cli``."""

from mnv2cli.cli import run

if __name__ == "__main__":
    run()
