"""Whether collecting finds the pictures worth correcting: `python -m edge_seg_bench.collecting --model M --data D`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.extras import require_extra
from edge_seg.files import check_can_write, write_text
from edge_seg_bench.collecting.measuring import measure_model
from edge_seg_bench.collecting.plot import plot
from edge_seg_bench.collecting.result import CollectingReport
from edge_seg_bench.collecting.table import markdown


def collecting(
    *,
    model: Annotated[list[Path], typer.Option("--model", "-m", help="A .tflite file that gives scores; repeatable.")],
    data: Annotated[list[Path], typer.Option(help="For each model, in order: a data set folder of its classes.")],
    split: Annotated[str, typer.Option(help="Pictures the models did not learn from: val or test.")] = "val",
    share: Annotated[float, typer.Option(min=0.01, max=0.5, help="Share of the pictures to pick.")] = 0.2,
    out: Annotated[Path, typer.Option(help="JSON file; Markdown and a plot go beside it.")] = Path("collecting.json"),
) -> None:
    """Compare how unsure a model was of each picture with how wrong it was, and what a pick by that finds.

    Example:  python -m edge_seg_bench.collecting --model models/fire.tflite --data data/fire --out collecting.json
    """
    if len(model) != len(data):
        raise typer.BadParameter(f"{len(model)} models, but {len(data)} data sets; give one --data for each --model")
    require_extra("report", purpose="the plot")
    check_can_write(out.parent)
    report = CollectingReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        picked_share=share,
        models=tuple(measure_model(*pair, split, share) for pair in zip(model, data, strict=True)),
    )
    write_text(out, report.model_dump_json(indent=1) + "\n")
    write_text(out.with_suffix(".md"), markdown(report))
    plot(out.with_suffix(".png"), report)
    typer.echo(markdown(report))


if __name__ == "__main__":
    typer.run(reporting(collecting))
