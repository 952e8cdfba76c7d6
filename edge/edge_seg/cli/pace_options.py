"""Options that make a camera do less, to save power."""

from typing import Annotated

import typer

_PANEL = "Low power"

EveryOption = Annotated[
    int, typer.Option("--every", min=1, metavar="N", rich_help_panel=_PANEL, help="Segment only each N-th frame.")
]
MaxFpsOption = Annotated[
    float | None,
    typer.Option(
        "--max-fps",
        min=0.001,
        max=1000,
        metavar="F",
        rich_help_panel=_PANEL,
        help="Segment at most F frames a second: of a camera those of the moment, of a file all, more slowly.",
        show_default="no limit",
    ),
]
