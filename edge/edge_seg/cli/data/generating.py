"""`edge-seg data generate`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.data.options import Seed, TestShare, ValShare, split_policy
from edge_seg.cli.data.terminal import tell_written, tracked


def generate(
    folder: Annotated[Path, typer.Argument(help="The data set folder to make.", resolve_path=True)],
    *,
    count: Annotated[int, typer.Option(min=2, max=100_000, help="How many pictures.")] = 240,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side of a picture in pixels.")] = 160,
    seed: Seed = 0,
    val: ValShare = 0.2,
    test: TestShare = 0.0,
) -> None:
    """Generate pictures of leaves and stones with exact masks, for trying things out offline."""
    from edge_seg.synthetic import generate_dataset

    policy = split_policy(val, test, seed)
    generate_dataset(folder, count=count, size=size, split=policy, numbers=tracked(range(count)))
    tell_written(count, folder)
