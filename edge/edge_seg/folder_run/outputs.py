"""What a run over a folder writes, and how far each output has come."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["masks", "overlays", "lines", "whole"]
"""Folders of one file a picture; a file of one line a picture; a file that is only right as a whole."""

LINE_SUFFIXES = (".jsonl", ".csv")
_FOLDER_SUFFIX = {"masks": ".png", "overlays": ".jpg"}
_STATE_SUFFIX = "edge-seg-run.json"


@dataclass(frozen=True)
class Output:
    """One `--out`."""

    uri: str
    kind: Kind
    path: Path

    @property
    def in_pieces(self) -> bool:
        """True for a folder of pictures, which several processes may fill."""
        return self.kind in _FOLDER_SUFFIX

    @property
    def resumable(self) -> bool:
        """True when a run can go on with it."""
        return self.kind != "whole"

    @property
    def state_path(self) -> Path:
        """Where it is noted how far the output has come."""
        return (
            self.path / f".{_STATE_SUFFIX}"
            if self.in_pieces
            else self.path.with_name(f".{self.path.name}.{_STATE_SUFFIX}")
        )

    def picture_path(self, stem: str) -> Path:
        """Return the file of one picture in a folder."""
        return self.path / f"{stem}{_FOLDER_SUFFIX[self.kind]}"


def outputs_of(uris: Sequence[str]) -> tuple[Output, ...]:
    """Tell what each `--out` is, as `edge_seg.sinks.open_sink` does."""
    return tuple(_output(uri) for uri in uris)


def unique_stems(names: Iterable[str], taken: Iterable[str] = ()) -> Iterator[str]:
    """Name outputs after pictures; of two with one stem (a.jpg, a.png) the later keeps its suffix: a, a_png.

    Folders stay: x/a.jpg becomes x/a.

    Args:
        names: of the pictures, sorted.
        taken: stems that no output may have.
    """
    given = set(taken)
    for name in names:
        folder, slash, file = name.rpartition("/")
        stem = folder + slash + os.path.splitext(file)[0]  # noqa: PTH122 - a Path for each of a million takes seconds
        if stem in given:
            stem = folder + slash + file.replace(".", "_")
        given.add(stem)
        yield stem


def first_missing_picture(output: Output, stems: Iterable[str], left_out: Mapping[int, str], done: int) -> int:
    """Return the index of the first of `done` pictures whose file is not there, or empty as after a power cut."""
    for index, stem in zip(range(done), stems, strict=False):
        if index not in left_out and not _holds_something(output.picture_path(stem)):
            return index
    return done


def _holds_something(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _output(uri: str) -> Output:
    kind, _, rest = uri.partition(":")
    if kind == "masks" and rest:
        return Output(uri, "masks", Path(rest))
    if kind == "overlays" and rest:
        return Output(uri, "overlays", Path(rest))
    path = Path(uri)
    if uri.startswith("/dev/") or ":" in uri:
        return Output(uri, "whole", path)
    if path.suffix.lower() in LINE_SUFFIXES:
        return Output(uri, "lines", path)
    if uri.endswith("/") or path.is_dir() or not path.suffix:
        return Output(uri, "masks" if path.name == "masks" else "overlays", path)
    return Output(uri, "whole", path)
