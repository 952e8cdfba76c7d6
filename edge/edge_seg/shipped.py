"""The models that ship inside the package, and how a user names one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import ModelError
from edge_seg.files import write_bytes
from edge_seg.model_info import ModelInfo, read_model_info

MODELS_FOLDER = Path(__file__).parent / "models"
DEFAULT_MODEL = "pets"

_ADDRESS = re.compile(r"https?:/", re.IGNORECASE)  # of https://host a Path keeps one slash


@dataclass(frozen=True)
class ShippedModel:
    """A model inside the package."""

    name: str
    path: Path
    size_bytes: int
    info: ModelInfo

    @property
    def is_default(self) -> bool:
        """Whether commands take it when none is named."""
        return self.name == DEFAULT_MODEL


def default_model() -> Path:
    """Return the model that commands use when none is named.

    Raises:
        ModelError: this installation has none.
    """
    return shipped_model(DEFAULT_MODEL)


def shipped_models() -> tuple[Path, ...]:
    """List the .tflite files inside the package: the default one first, the others by name."""
    return tuple(sorted(MODELS_FOLDER.glob("*.tflite"), key=lambda path: (path.stem != DEFAULT_MODEL, path.stem)))


def shipped_model(name: str) -> Path:
    """Return the file of a shipped model.

    Raises:
        ModelError: no shipped model is called that; the sentence names those that there are.
    """
    for path in shipped_models():
        if path.stem == name:
            return path
    raise ModelError(f"no shipped model is called '{name}'; {_choice()}")


def read_card(model: Path) -> str:
    """Return the model card of a shipped model, Markdown.

    Raises:
        ModelError: it is absent from this installation.
    """
    card = _card_path(model)
    if not card.is_file():
        raise ModelError(f"{card}: this installation lacks the model's card; install edge-seg again")
    return card.read_text(encoding="utf-8")


def describe(model: Path) -> ShippedModel:
    """Return what a shipped model's file says of itself.

    Raises:
        ModelError: it says nothing, or its description is damaged.
    """
    info = read_model_info(model)
    if info is None:
        raise ModelError(f"{model}: the shipped file has lost its description; install edge-seg again")
    return ShippedModel(model.stem, model, model.stat().st_size, info)


def export(models: Sequence[Path], folder: Path) -> tuple[Path, ...]:
    """Copy shipped models and their cards into `folder`; return where they lie.

    Nothing is written unless all may be; a file there that is the same already is left as it is.

    Raises:
        ModelError: a file of that name is there and holds something else.
    """
    copies = {folder / path.name: path.read_bytes() for model in models for path in (model, _card_path(model))}
    for copy, data in copies.items():
        if copy.exists() and copy.read_bytes() != data:
            raise ModelError(f"{copy}: is there already and holds something else; name another folder with --out")
    for copy, data in copies.items():
        if not copy.exists():
            write_bytes(copy, data)
    return tuple(copies)


def find_model(named: Path | str | None) -> Path:
    """Return the file that a user means: a file where there is one, else a shipped model; the default one for None.

    What ends in .tflite or has a folder in front is always a path, also of a file that is not there.

    Raises:
        ModelError: a bare name that is neither a file here nor a shipped model, or an address.
    """
    if named is None:
        return default_model()
    path = Path(named)
    if _ADDRESS.match(str(named)):
        raise ModelError(
            "the model is an address, and  edge-seg camera  alone fetches models; download it first, and give the file"
        )
    if path.is_file() or path.suffix == ".tflite" or str(named) != path.name:
        return path
    if path.name not in (shipped.stem for shipped in shipped_models()):
        raise ModelError(f"{path}: no such file here, and no shipped model is called that; {_choice()}")
    return shipped_model(path.name)


def _choice() -> str:
    names = ", ".join(path.stem for path in shipped_models())
    return f"those that ship are {names}" if names else "none ship with this installation"


def _card_path(model: Path) -> Path:
    return model.with_suffix(".md")
