"""A VIA 2 project that grows while somebody may be correcting it.

Every addition reads the file anew, so that a corrected project that was put back in its place keeps
its corrections, and writes it whole under another name first: whatever kills the camera leaves a
valid project. That costs a few milliseconds for some hundred pictures; the bound on their number
bounds it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from edge_seg.errors import SinkError
from edge_seg.exporters import Labels, Picture
from edge_seg.exporters.via import picture_entry, project_head
from edge_seg.files import write_text
from edge_seg.outlines import Outlines
from edge_seg.sinks.faults import sink_error

_PICTURES, _ORDER = "_via_img_metadata", "_via_image_id_list"
FILE_ATTRIBUTES = ("captured", "why")

Json = dict[str, Any]


class GrowingProject:
    """The project file of a folder of pictures, there or yet to be made."""

    def __init__(self, file: Path, labels: Labels) -> None:
        self.file = file
        self._labels = labels

    def pictures(self) -> list[Json]:
        """Return the entries of its pictures, as VIA stores them.

        Raises:
            SinkError: the file cannot be read, or is no VIA 2 project.
        """
        return list(self._read()[_PICTURES].values())

    def add(self, picture: Picture, outlines: Outlines, file_attributes: Mapping[str, str]) -> None:
        """Add one picture.

        Raises:
            SinkError: as `pictures`, or the file cannot be written; it is as it was, then.
        """
        project = self._read()
        key, entry = picture_entry(picture, outlines, self._labels, file_attributes)
        project[_PICTURES][key] = entry
        project[_ORDER] = list(project[_PICTURES])
        try:
            write_text(self.file, json.dumps(project, ensure_ascii=False, separators=(",", ":")) + "\n")
        except OSError as error:
            raise sink_error(self.file, error) from None

    def _read(self) -> Json:
        try:
            project = json.loads(self.file.read_bytes())
        except FileNotFoundError:
            return project_head(self.file.parent.name, self._labels, "./", FILE_ATTRIBUTES) | {
                _PICTURES: {},
                _ORDER: [],
            }
        except OSError as error:
            raise sink_error(self.file, error) from None
        except ValueError as error:
            raise self._not_a_project(f"{error}") from None
        if not isinstance(project, dict) or not _is_entries(cast(Json, project).get(_PICTURES)):
            raise self._not_a_project(f"it has no {_PICTURES}")
        return cast(Json, project)

    def _not_a_project(self, reason: str) -> SinkError:
        return SinkError(
            f"{self.file}: is no project of VIA 2 ({reason}); save it with  Project, Save  or move it away"
        )


def _is_entries(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(item, dict) for item in cast(Json, found).values())
