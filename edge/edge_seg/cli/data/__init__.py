"""`edge-seg data`: make data sets, check them, divide them and look at them; one module per errand."""

import typer

from edge_seg.cli.data.checking import check
from edge_seg.cli.data.exporting import exporting
from edge_seg.cli.data.generating import generate
from edge_seg.cli.data.importing import importing
from edge_seg.cli.data.looking import preview, stats
from edge_seg.cli.data.prelabelling import prelabel
from edge_seg.cli.data.splitting import split

data = typer.Typer(no_args_is_help=True)
data.add_typer(importing, name="import", help="Make a data set folder from annotated pictures.")
data.add_typer(exporting, name="export", help="Write a data set in other tools' formats.")
for command, example in (
    (check, "edge-seg data check my-data"),
    (split, "edge-seg data split my-data --val 0.2 --test 0.1"),
    (stats, "edge-seg data stats my-data --out stats.html"),
    (preview, "edge-seg data preview my-data --split val --out sheet.png"),
    (prelabel, "edge-seg data prelabel photos --model fire.tflite --out photos-via.json"),
    (generate, "edge-seg data generate leaves-and-stones --count 240"),
):
    data.command(epilog=f"Example:  {example}")(command)

__all__ = ["data"]
