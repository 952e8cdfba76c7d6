"""What made an archive, noted in it, so that another model's masks are never mixed into it."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_seg.archive.place import Place
from edge_seg.errors import SinkError
from edge_seg.folder_run.state import refuse_another_run

NOTE = "edge-seg-run.json"


class ArchiveNote(BaseModel):
    """The file in the output."""

    model_config = ConfigDict(extra="forbid")

    made_by: dict[str, str]
    """What the archive is made of and with, as words that a message may show."""


def write_note(output: Place, made_by: Mapping[str, str]) -> None:
    """Note what an archive is made of.

    Raises:
        SinkError: it cannot be written.
    """
    output.write(NOTE, ArchiveNote(made_by=dict(made_by)).model_dump_json(indent=1).encode())


def remove_note(output: Place) -> None:
    """Forget what an archive was made of.

    Raises:
        SinkError: the note cannot be removed.
    """
    output.remove(NOTE)


def read_note(output: Place) -> ArchiveNote | None:
    """Return what an archive was made of, or None where none is begun.

    Raises:
        SinkError: the note is damaged.
    """
    if not output.exists(NOTE):
        return None
    try:
        return ArchiveNote.model_validate_json(output.read(NOTE))
    except ValidationError:
        raise SinkError(
            f"{output.uri}/{NOTE}: does not say what made this archive; delete it, or start over with --fresh"
        ) from None


def refuse_other_archive(output: Place, made_by: Mapping[str, str], *, done: int) -> None:
    """Raise SinkError, saying what differs, when an output was begun by another run than `made_by`."""
    found = read_note(output)
    if found is not None:
        refuse_another_run(output.uri, found.made_by, made_by, done=done)
