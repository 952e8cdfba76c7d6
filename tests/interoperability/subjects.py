"""Models under test, each with pictures and the class maps that LiteRT gives for them."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tool_environment import Tool

from edge_seg.resampling import shrink_image
from edge_seg.runtimes import load_engine

PRECISIONS = ("float32", "float16", "dynamic", "int8")
MODELS = [*(f"{decoder}_{precision}" for decoder in ("separable", "transpose") for precision in PRECISIONS), "pets"]


@dataclass(frozen=True)
class Subject:
    """A model, pictures [n, height, width, 3] at its size, and the class maps [n, height, width] that LiteRT gives."""

    model: Path
    precision: str
    pictures: np.ndarray
    class_maps: np.ndarray

    def compare(self, tool: Tool, script: str, least: Mapping[str, float], folder: Path) -> dict[str, Any]:
        """Run `script MODEL PICTURES CLASS_MAPS` in a tool's environment and compare its class maps with LiteRT's.

        Args:
            tool: where the script runs.
            script: opens the model and writes class maps [n, height, width] of the pictures.
            least: share of pixels that must have LiteRT's class, by precision.
            folder: for files on their way.

        Returns:
            What else the script told.
        """
        pictures, found = folder / "pictures.npy", folder / "class_maps.npy"
        np.save(pictures, self.pictures)
        told = tool.script(script, self.model, pictures, found)
        class_maps = np.load(found)
        assert class_maps.shape == self.class_maps.shape
        share = np.mean(class_maps == self.class_maps)
        assert share >= least[self.precision], f"{self.model.name}: {share:.5f} of the pixels have LiteRT's class"
        return told


def make_subject(model: Path, precision: str, pictures: Sequence[np.ndarray]) -> Subject:
    """Run LiteRT on pictures of any size; their class maps must not be of one class."""
    engine = load_engine(model)
    _, height, width, _ = engine.inputs[0].shape
    shrunk = np.stack([shrink_image(np.ascontiguousarray(picture), height, width) for picture in pictures])
    class_maps = []
    for picture in shrunk:
        engine.set_input(picture[None])
        engine.invoke()
        class_maps.append(engine.output()[0].argmax(axis=-1))
    shares = np.bincount(np.ravel(class_maps)) / np.size(class_maps)
    assert (shares > 0.05).sum() > 1, f"one class everywhere proves nothing: shares {shares}"
    return Subject(model, precision, shrunk, np.stack(class_maps))


def edge_seg(*arguments: object) -> None:
    """Run an `edge-seg` command."""
    run("-m", "edge_seg.cli", *arguments)


def run(*command: object) -> None:
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
