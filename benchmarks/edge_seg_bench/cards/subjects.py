"""The models that have a card, and where their card and their results lie in the project."""

from dataclasses import dataclass
from pathlib import Path

_RESULTS = Path("benchmarks/results/models")
_PACKAGE = Path("edge/edge_seg/models")
_PAGES = Path("docs/models")
_PICTURES = Path("docs/images/models")

LATENCY_RESULTS = _RESULTS / "bench.json"


@dataclass(frozen=True)
class Subject:
    """A model with a card. All paths are inside the project."""

    name: str
    recipe: str
    """Its run is called the same."""
    ships: bool = True
    """Whether the weights are in the package; they are not when its pictures carry no licence."""

    @property
    def family(self) -> str:
        """What the sizes of one model have in common."""
        return self.name.partition("-")[0]

    @property
    def card(self) -> Path:
        """The model card."""
        return (_PACKAGE if self.ships else _PAGES) / f"{self.name}.md"

    @property
    def model(self) -> Path:
        """The int8 file, where it ships."""
        return _PACKAGE / f"{self.name}.tflite"

    @property
    def measured_name(self) -> str:
        """What benchmarks call its int8 file: one that does not ship is where `edge-seg convert` put it."""
        return self.name if self.ships else f"{self.recipe}_int8"

    @property
    def accuracy(self) -> Path:
        """What `edge-seg convert` measured: its conversion.json."""
        return _RESULTS / f"{self.name}.json"

    @property
    def instructions(self) -> Path:
        """What `python -m edge_seg_bench.arm64` counted; by default it counts the models that ship."""
        return Path("benchmarks/results/arm64.json") if self.ships else _RESULTS / "arm64.json"

    @property
    def failures(self) -> Path:
        """The sheet of its worst pictures, where it may be shown."""
        return _PICTURES / f"{self.name}-failures.jpg"


SUBJECTS = (
    Subject("pets", "pets-256-small"),
    Subject("pets-fast", "pets-128-small"),
    Subject("pets-accurate", "pets-256"),
    Subject("trash", "trash"),
    Subject("fire", "fire", ships=False),
    Subject("water", "flood", ships=False),
)
