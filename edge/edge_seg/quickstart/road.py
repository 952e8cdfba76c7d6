"""The commands of the quickstart: data in words, so that showing and running them cannot differ."""

from dataclasses import dataclass
from pathlib import Path

SEED = 0
SIZE = 96
EPOCHS = 20
PICTURES = 240


@dataclass(frozen=True)
class Places:
    """Where the quickstart leaves what."""

    root: Path

    @property
    def data(self) -> Path:
        """The generated data set."""
        return self.root / "data"

    @property
    def sheet(self) -> Path:
        """Its contact sheet."""
        return self.root / "data-preview.png"

    @property
    def run(self) -> Path:
        """The training run."""
        return self.root / "run"

    @property
    def models(self) -> Path:
        """The four converted models."""
        return self.root / "models"

    @property
    def overlays(self) -> Path:
        """The new model's overlays of the generated pictures."""
        return self.root / "overlays"

    @property
    def photograph(self) -> Path:
        """A real photograph."""
        return self.root / "chelsea.png"

    @property
    def photograph_overlays(self) -> Path:
        """The shipped model's overlay of it."""
        return self.root / "photograph"

    @property
    def bench(self) -> Path:
        """The benchmark's results."""
        return self.root / "bench"

    @property
    def report(self) -> Path:
        """All of it on one page."""
        return self.root / "report.html"

    def model(self, precision: str) -> Path:
        """One converted model."""
        return self.models / f"{self.run.name}_{precision}.tflite"


@dataclass(frozen=True)
class Step:
    """One command of the road and what it is for."""

    title: str
    command: tuple[str, ...]
    """Arguments of `edge-seg`."""

    @property
    def line(self) -> str:
        """The command as a user would type it."""
        return " ".join(("edge-seg", *self.command))


def steps(places: Places) -> tuple[Step, ...]:
    """List the commands from nothing to a measured model."""
    float_model, int8_model = str(places.model("float32")), str(places.model("int8"))
    return (
        Step(
            "Generate a data set",
            ("data", "generate", str(places.data), "--count", str(PICTURES), "--seed", str(SEED)),
        ),
        Step("Look at it", ("data", "preview", str(places.data), "--out", str(places.sheet), "--count", "12")),
        Step("Train a U-Net", ("train", "--data", str(places.data), "--out", str(places.run), *_training())),
        Step("Convert and verify four precisions", ("convert", str(places.run), "--out", str(places.models))),
        Step(
            "Segment a folder",
            ("run", str(places.data / "images"), "--model", int8_model, "--out", str(places.overlays)),
        ),
        Step(
            "Segment a real photograph with the shipped pets model",
            ("run", str(places.photograph), "--out", str(places.photograph_overlays)),
        ),
        Step(
            "Measure float32 against int8",
            ("bench", float_model, int8_model, "--out", str(places.bench)),
        ),
    )


def _training() -> tuple[str, ...]:
    return (
        *("--size", str(SIZE), "--alpha", "0.35", "--epochs", str(EPOCHS)),
        *("--encoder-weights", "none", "--learning-rate", "0.003", "--seed", str(SEED)),
    )
