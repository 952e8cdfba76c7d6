"""How far a run over a folder has come, noted beside each of its outputs.

The note says what made the output (model, pictures, options), so that another run is never mixed into it.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_seg.errors import SinkError
from edge_seg.files import atomic_path, remove_parts
from edge_seg.folder_run.lines import first_missing_line, flush_to_disk, keep_lines_before
from edge_seg.folder_run.outputs import Output, first_missing_picture, unique_stems
from edge_seg.sinks.faults import sink_error


class Note(BaseModel):
    """The file beside an output."""

    model_config = ConfigDict(extra="forbid")

    made_by: dict[str, str]
    """What the output is made of and with, as words that a message may show."""
    done: int = 0
    """Pictures that are done, the first so many in the order of their names."""
    left_out: dict[int, str] = {}
    """A sentence for each of those that could not be read."""


@dataclass
class Progress:
    """How far a run has come."""

    done: int = 0
    left_out: dict[int, str] = field(default_factory=dict[int, str])


def names_digest(names: Iterable[str]) -> str:
    """Return the first 12 hex digits of the SHA-256 of file names."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(os.fsencode(name) + b"\0")
    return digest.hexdigest()[:12]


def resume(outputs: Sequence[Output], made_by: Mapping[str, str], names: Sequence[str]) -> Progress:
    """Find where a run goes on, and cut off what reaches further.

    Args:
        outputs: all resumable.
        made_by: what this run is made of.
        names: the pictures, in order.

    Raises:
        SinkError: an output was made by another run, so that both would be mixed.
    """
    notes = [_note_for(output, made_by) for output in outputs]
    known = [note for note in notes if note is not None]
    done = min(note.done for note in known) if len(known) == len(outputs) else 0
    left_out = {index: said for note in known for index, said in note.left_out.items()}
    for output in outputs:
        done = _first_missing(output, names, left_out, done)
    for output in outputs:
        _clear_after(output, done)
    return Progress(done, {index: said for index, said in left_out.items() if index < done})


def start_over(outputs: Sequence[Output]) -> Progress:
    """Empty the files of lines; pictures in folders stay until they are written anew."""
    for output in outputs:
        output.state_path.unlink(missing_ok=True)
        _clear_after(output, 0)
    return Progress()


def note(outputs: Sequence[Output], made_by: Mapping[str, str], progress: Progress) -> None:
    """Note how far all outputs have come, once their lines are on the disk.

    Raises:
        SinkError: the note cannot be written.
    """
    text = Note(made_by=dict(made_by), done=progress.done, left_out=progress.left_out).model_dump_json(indent=1)
    for output in outputs:
        try:
            if output.kind == "lines":
                flush_to_disk(output.path)
            _write_through(output.state_path, text)
        except OSError as error:
            raise sink_error(output.state_path, error) from None


def _note_for(output: Output, made_by: Mapping[str, str]) -> Note | None:
    found = _read(output.state_path)
    if found is None:
        if output.kind == "lines" and output.path.exists() and output.path.stat().st_size > 0:
            raise SinkError(
                f"{output.path}: holds lines of another run; name another file, or write over it with --fresh"
            )
        return None
    refuse_another_run(str(output.path), found.made_by, made_by, done=found.done)
    return found


def refuse_another_run(output: str, before: Mapping[str, str], now: Mapping[str, str], *, done: int) -> None:
    """Raise SinkError, naming `output` and what differs, unless it was made by the same as what is to go on with it."""
    different = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if different:
        changes = ", ".join(f"{key} {before.get(key, 'none')} is now {now.get(key, 'none')}" for key in different)
        raise SinkError(
            f"{output}: {done:,} pictures were written by a run that differs from this one ({changes}); "
            "type the command as it was to go on, name another output, or start over with --fresh"
        )


def _read(path: Path) -> Note | None:
    try:
        return Note.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise SinkError(
            f"{path}: does not say how far the run has come; delete it, or start over with --fresh"
        ) from None


def _first_missing(output: Output, names: Sequence[str], left_out: Mapping[int, str], done: int) -> int:
    if output.kind == "lines":
        return first_missing_line(output.path, left_out, done)
    return first_missing_picture(output, unique_stems(names), left_out, done)


def _clear_after(output: Output, done: int) -> None:
    if output.kind == "lines":
        keep_lines_before(output.path, done)
    elif output.path.is_dir():
        remove_parts(output.path)


def _write_through(path: Path, text: str) -> None:
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
