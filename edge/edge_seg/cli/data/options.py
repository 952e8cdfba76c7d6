"""Options that several data commands share, and what is made of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from edge_seg.dataset import SplitPolicy

OutFolder: TypeAlias = Annotated[
    Path,
    typer.Option("--out", help="The data set folder to make; it must not exist yet.", resolve_path=True),
]
DataFolder: TypeAlias = Annotated[Path, typer.Argument(help="A data set folder.")]
ValShare: TypeAlias = Annotated[float, typer.Option(min=0, max=0.9, help="Share of pictures for validation.")]
TestShare: TypeAlias = Annotated[float, typer.Option(min=0, max=0.9, help="Share of pictures for the test.")]
Seed: TypeAlias = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]


def split_policy(val: float, test: float, seed: int) -> "SplitPolicy":
    """Return the policy that --val, --test and --seed ask for."""
    from edge_seg.dataset import SplitPolicy

    if val + test >= 1:
        raise typer.BadParameter(f"--val {val} and --test {test} leave nothing to train on; keep their sum below 1")
    return SplitPolicy(seed=seed, val=val, test=test)
