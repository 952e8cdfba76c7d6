"""Render the figures of all model cards from the recorded results: `python -m edge_seg_bench.cards`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.errors import BenchmarkError
from edge_seg.files import write_text
from edge_seg_bench.cards.blocks import BLOCKS
from edge_seg_bench.cards.evidence import read_evidence
from edge_seg_bench.cards.page import fill
from edge_seg_bench.cards.subjects import SUBJECTS, Subject


def cards(
    root: Annotated[Path, typer.Option(help="The project's folder.", show_default="this one")] = Path(),
) -> None:
    """Render the blocks of figures in every model card anew; words stay as they are."""
    for subject in SUBJECTS:
        path = root / subject.card
        if not path.is_file():
            raise BenchmarkError(f"{path}: no such card; run this in the project's folder, or name that with --root")
        before, after = path.read_text(encoding="utf-8"), rendered(root, subject)
        if after != before:
            write_text(path, after)
        typer.echo(f"{'written' if after != before else 'as it was'}  {path}")


def rendered(root: Path, subject: Subject) -> str:
    """Return a card with the figures that are recorded in the project at `root`.

    Raises:
        BenchmarkError: a result is damaged, or the card asks for figures that there are not.
    """
    evidence = read_evidence(root, subject)
    text = (root / subject.card).read_text(encoding="utf-8")
    return fill(text, {name: block(evidence) for name, block in BLOCKS.items()})


if __name__ == "__main__":
    typer.run(reporting(cards))
