"""Put trained runs into the project: `python -m edge_seg_bench.cards.publish RUNS --converted DIR`."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.dataset.manifest import Manifest, read_manifest
from edge_seg.errors import BenchmarkError
from edge_seg.files import atomic_path
from edge_seg.run_folder import RunFolder
from edge_seg_bench.cards.subjects import SUBJECTS, Subject


@dataclass(frozen=True)
class Places:
    """Where things are read and written; `data` holds a data set folder for each that the runs learned from."""

    root: Path
    runs: Path
    data: Path
    converted: Path

    def dataset(self, subject: Subject) -> Path:
        """Return the data set that a model learned from."""
        return self.data / RunFolder(self.runs / subject.recipe).read_config().data.name

    def int8(self, subject: Subject) -> Path:
        """Return the int8 file that a conversion writes."""
        return self.converted / subject.name / f"{subject.recipe}_int8.tflite"


def publish(
    runs: Annotated[Path, typer.Argument(help="Folder of the runs, each called as its recipe.")],
    *,
    converted: Annotated[Path, typer.Option(help="Folder for all precisions of all models.")] = Path("build/models"),
    data: Annotated[Path, typer.Option(help="Folder of the data sets.")] = Path("data"),
    only: Annotated[list[str] | None, typer.Option(help="Do this model alone; repeatable.", show_default=False)] = None,
    root: Annotated[Path, typer.Option(help="The project's folder.", show_default="this one")] = Path(),
) -> None:
    """Convert every run, keep its accuracy, and for models that ship put the file and its failures in place.

    Example:  python -m edge_seg_bench.cards.publish runs --only trash
    """
    chosen = [subject for subject in SUBJECTS if not only or subject.name in only]
    if unknown := set(only or ()) - {subject.name for subject in chosen}:
        names = ", ".join(subject.name for subject in SUBJECTS)
        raise BenchmarkError(f"no model is called '{sorted(unknown)[0]}'; those with a card are {names}")
    places = Places(root, runs, data, converted)
    for subject in chosen:
        check_may_ship(subject, read_manifest(places.dataset(subject)))
    for subject in chosen:
        typer.echo(f"{subject.name}: the run {subject.recipe}")
        put_in_place(subject, places)


def check_may_ship(subject: Subject, manifest: Manifest) -> None:
    """Refuse to ship a model whose data set says neither whose pictures these are nor what may be done with them.

    Raises:
        BenchmarkError: its dataset.toml has no source or no licence.
    """
    if subject.ships and not (manifest.source and manifest.licence):
        raise BenchmarkError(
            f"{subject.name}: the data set '{manifest.name}' states no source or no licence, and the model would ship; "
            "write both into its dataset.toml"
        )


def put_in_place(subject: Subject, places: Places) -> None:
    """Convert a run and copy what the project keeps of it.

    Raises:
        BenchmarkError: a command failed, after it said why.
    """
    dataset, folder = places.dataset(subject), places.converted / subject.name
    _edge_seg("convert", places.runs / subject.recipe, "--data", dataset, "--out", folder)
    _copy(folder / "conversion.json", places.root / subject.accuracy)
    if subject.ships:
        _copy(places.int8(subject), places.root / subject.model)
        _edge_seg("eval", places.root / subject.model, "--data", dataset, "--worst", places.root / subject.failures)


def _edge_seg(*arguments: object) -> None:
    command = [sys.executable, "-m", "edge_seg.cli", *map(str, arguments)]
    if code := subprocess.run(command, check=False).returncode:
        raise BenchmarkError(f"edge-seg {arguments[0]} {arguments[1]} ended with exit code {code}; see above")


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


if __name__ == "__main__":
    typer.run(reporting(publish))
