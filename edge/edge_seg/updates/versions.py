"""The files of the versions on a device: versions/7/NAME.tflite with manifest.json beside it."""

import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import UpdateError
from edge_seg.files import is_part_name, sync, write_durably
from edge_seg.model_identity import ModelIdentity, file_sha256
from edge_seg.updates.manifest import Manifest, manifest_json, parse_manifest

_MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True)
class Stored:
    """A model that was accepted."""

    path: Path
    manifest: Manifest

    @property
    def identity(self) -> ModelIdentity:
        """What telemetry calls it."""
        return ModelIdentity(self.manifest.name, self.manifest.sha256, self.manifest.version)


class Versions:
    """A folder with a folder for each version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def numbers(self) -> list[int]:
        """Return which there are, whole or damaged, the lowest first."""
        return sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdecimal() and path.is_dir())

    def intact(self) -> dict[int, Stored]:
        """Return those that hold what their manifests say, to the byte."""
        return {version: stored for version in self.numbers() if (stored := self._read(version))}

    def move_in(self, model: Path, manifest: Manifest) -> Stored:
        """Move a model in; when this returns, no power cut undoes it.

        Raises:
            OSError: the disk is full or fails; the model is where it was.
        """
        folder = self._folder / str(manifest.version)
        _remove_version(folder)
        folder.mkdir()
        try:
            write_durably(folder / _MANIFEST_NAME, manifest_json(manifest))
            sync(model)
            path = model.replace(folder / f"{manifest.name}.tflite")
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        sync(folder)
        sync(self._folder)
        return Stored(path, manifest)

    def keep(self, versions: Collection[int | None]) -> None:
        """Remove all other versions; what is none stays, lest a user who names the wrong folder loses files."""
        kept = {str(version) for version in versions}
        for path in self._folder.iterdir():
            if path.name not in kept:
                _remove_version(path)

    def _read(self, version: int) -> Stored | None:
        folder = self._folder / str(version)
        with suppress(UpdateError, OSError):
            manifest = parse_manifest((folder / _MANIFEST_NAME).read_bytes())
            stored = Stored(folder / f"{manifest.name}.tflite", manifest)
            if manifest.version == version and file_sha256(stored.path) == manifest.sha256:
                return stored
        return None


def _remove_version(folder: Path) -> None:
    """Remove a folder that holds what `move_in` puts there, or a part of it, and nothing else."""
    if folder.name.isdecimal() and folder.is_dir() and all(_is_of_version(path.name) for path in folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)


def _is_of_version(name: str) -> bool:
    return name == _MANIFEST_NAME or name.endswith(".tflite") or is_part_name(name)
