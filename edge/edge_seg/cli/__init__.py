"""The command line: one thin shell per command, loaded when it is called."""

from edge_seg.cli.app import main

__all__ = ["main"]
