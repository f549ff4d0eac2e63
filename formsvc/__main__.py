"""Lets `python -m formsvc` do what the `formsvc` command does."""

from formsvc.cli import main

main()
