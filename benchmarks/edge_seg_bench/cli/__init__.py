"""`edge-seg bench`: a group of commands, whose first one needs no name."""

from typing import Any

import typer
from typer.core import TyperGroup

from edge_seg_bench.cli.measure import measure

_DEFAULT = "measure"


class DefaultGroup(TyperGroup):
    """A group in which `bench MODEL...` is `bench measure MODEL...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command's name in front of arguments that begin with no command's."""
        if args and args[0] not in self.commands and args[0] not in self.get_help_option_names(ctx):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


bench = typer.Typer(cls=DefaultGroup, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})
bench.command(_DEFAULT)(measure)


@bench.callback()
def _bench() -> None:
    """Measure latency, memory and size of models; compare, join and show what was measured.

    `edge-seg bench MODEL...` is `edge-seg bench measure MODEL...`, whose options `bench measure --help` lists.

    Example:  edge-seg bench models/fire_float32.tflite models/fire_int8.tflite --out results
    """
