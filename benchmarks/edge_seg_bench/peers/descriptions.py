"""Other people's models, described: a TOML file each, in `benchmarks/peers/` of a checkout."""

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from edge_seg.errors import BenchmarkError
from edge_seg.validation import first_fault
from edge_seg_bench.recording import Strict

DESCRIPTIONS = Path(__file__).parents[2] / "peers"
"""Where a checkout has them; an installed package has none."""

_README = "benchmarks/peers/README.md says where the models are downloaded"


class Description(Strict):
    """What a model of other people's does not say of itself."""

    title: str
    file: str
    """The file's name in the folder of models."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the file: figures belong to one version of a model."""
    download: str
    licence: str
    made_for: str
    """What it was trained to find, in words that follow "made for"."""
    knows_pets: bool
    """False for a model that was trained on something else; its pet IoU is shown and marked."""
    input_range: Literal["-1,1", "0,1", "0,255"] | None = None
    """The numbers that bytes 0 and 255 stand for; None for a model that takes the bytes."""
    output: Literal["scores", "probability", "classes"]
    """Scores of classes, the probability of class 1, or a map of class ids."""
    pet_classes: Annotated[tuple[int, ...], Field(min_length=1)]
    """Ids that count as pet; the other ones count as background."""


def read_descriptions(folder: Path) -> Sequence[Description]:
    """Read every .toml file of a folder, by name.

    Raises:
        BenchmarkError: no such folder, none in it, or one that does not keep the schema.
    """
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise BenchmarkError(
            f"{folder}: describes no model; give --descriptions the folder benchmarks/peers of a checkout"
        )
    return [read_description(path) for path in paths]


def read_description(path: Path) -> Description:
    """Read one description.

    Raises:
        BenchmarkError: not TOML, or not of the schema.
    """
    try:
        return Description.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path}: is not TOML ({error}); correct it") from None
    except ValidationError as error:
        raise BenchmarkError(f"{path}: {first_fault(error)}; correct it") from None


def check_folder(folder: Path) -> None:
    """Raise BenchmarkError unless the folder of models is there."""
    if not folder.is_dir():
        raise BenchmarkError(f"{folder}: no such folder of other people's models; {_README}")


def why_not(description: Description, folder: Path) -> str | None:
    """Return a sentence when a model is absent from `folder` or not the one described, else None."""
    path = folder / description.file
    if not path.is_file():
        return f"{path}: no such file; {_README}"
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != description.sha256:
        return f"{path}: is another file than the one described (SHA-256 {found[:12]}…); {_README}"
    return None
