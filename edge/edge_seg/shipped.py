"""The models that ship inside the package."""

from pathlib import Path

from edge_seg.errors import ModelError

MODELS_FOLDER = Path(__file__).parent / "models"
DEFAULT_MODEL = "pets.tflite"


def default_model() -> Path:
    """Return the model that commands use when none is named.

    Raises:
        ModelError: this installation has none.
    """
    path = MODELS_FOLDER / DEFAULT_MODEL
    if not path.is_file():
        raise ModelError(f"{path}: the shipped model is absent from this installation; name one with --model")
    return path


def shipped_models() -> tuple[Path, ...]:
    """List the .tflite files inside the package, by name."""
    return tuple(sorted(MODELS_FOLDER.glob("*.tflite")))
