"""VGG Image Annotator, versions 1, 2 and 3: a region export, a whole project, or CSV.

    {"x.jpg1234": {"filename": "x.jpg", "regions": [...] or {"0": ...}}}     1 and 2, region export
    {"_via_img_metadata": {...the same...}, "_via_settings": ...}            2, project
    {"project": ..., "file": ..., "view": ..., "metadata": ...}              3, project
    filename,file_size,...,region_shape_attributes,region_attributes         1 and 2, CSV
    metadata_id,file_list,...,spatial_coordinates,metadata                   3, CSV

Later regions are drawn over earlier ones. Regions are counted from 1, as VIA shows them.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO, cast

from edge_seg.errors import AnnotationError
from edge_seg.importers.annotations import AnnotatedPicture, AnnotationFile, DrawingStyle, Region
from edge_seg.importers.shapes import Shape
from edge_seg.importers.streaming import (
    JsonObject,
    check_json,
    first_member_keys,
    json_object,
    members,
    top_level_keys,
    value,
)
from edge_seg.importers.via_shapes import via3_shape, via_shape
from edge_seg.importers.wording import shown

_PROJECT_KEY = "_via_img_metadata"
_VIA3_KEYS = frozenset({"project", "file", "view", "metadata"})
_CSV_COLUMNS = ("filename", "region_id", "region_shape_attributes", "region_attributes")
_VIA3_CSV_COLUMNS = ("metadata_id", "file_list", "flags", "temporal_coordinates", "spatial_coordinates", "metadata")
_LONGEST_CELL = 16 * 2**20
_LONGEST_LINE = 32 * 2**20


class Via:
    """VIA's JSON and CSV of all three versions."""

    name = "via"
    title = "VGG Image Annotator 1, 2 or 3"
    suffixes = frozenset({".json", ".csv"})
    label_attribute = None

    def recognises(self, path: Path) -> bool:
        """True for VIA's JSON and CSV."""
        return _reader(path) is not None

    def read(self, path: Path) -> AnnotationFile:
        """Read a file of any version lazily."""
        reader = _reader(path)
        if reader is None:
            if path.suffix.lower() != ".csv":
                check_json(path, item_depth=1)  # not JSON at all is another sentence
            keys = ", ".join(top_level_keys(path))
            seen = f"its keys are {shown(keys)}" if keys else "it lists no pictures"
            raise AnnotationError(
                f"{path}: is not VIA JSON or CSV ({seen}); in VIA choose Annotation, Export Annotations (as json)"
            )
        return reader(path)

    def shape(self, geometry: Any, size: tuple[int, int], style: DrawingStyle, where: str) -> Shape | None:
        """Make a shape of `shape_attributes` (versions 1 and 2) or of `xy` (version 3)."""
        del size
        if isinstance(geometry, Mapping):
            return via_shape(cast(JsonObject, geometry), where, style)
        if isinstance(geometry, list):
            return via3_shape(cast(list[object], geometry), where, style)
        raise AnnotationError(f"{where}: has no shape_attributes; export the annotations again")


def _reader(path: Path) -> Any:
    if path.suffix.lower() == ".csv":
        header = _csv_header(path)
        if set(_CSV_COLUMNS) <= set(header):
            return _read_csv
        return _read_via3_csv if header == _VIA3_CSV_COLUMNS else None
    keys = set(top_level_keys(path))
    if keys >= _VIA3_KEYS:
        return _read_via3
    if _PROJECT_KEY in keys:
        return _read_project
    return _read_export if "filename" in first_member_keys(path) else None


# Versions 1 and 2 ------------------------------------------------------------------------------------


def _read_export(path: Path) -> AnnotationFile:
    check_json(path, item_depth=2)
    return AnnotationFile(pictures=_entries(path, ""))


def _read_project(path: Path) -> AnnotationFile:
    check_json(path, item_depth=3)
    return AnnotationFile(_options(path), _entries(path, _PROJECT_KEY))


def _options(path: Path) -> tuple[str, ...]:
    """Return the choices of the only region attribute that has some, in the project's order."""
    attributes = json_object(value(path, "_via_attributes.region")) or {}
    choices = [json_object((json_object(item) or {}).get("options")) for item in attributes.values()]
    with_choices = [tuple(item) for item in choices if item]
    return with_choices[0] if len(with_choices) == 1 else ()


def _entries(path: Path, prefix: str) -> Iterator[AnnotatedPicture]:
    for key, found in members(path, prefix):
        entry = json_object(found) or {}
        name, regions = entry.get("filename"), entry.get("regions")
        if not isinstance(name, str) or not name or not isinstance(regions, dict | list):
            raise AnnotationError(f"{path}: '{shown(key)}' has no filename or no regions; export the annotations again")
        values = list(cast(JsonObject, regions).values()) if isinstance(regions, dict) else cast(list[Any], regions)
        yield AnnotatedPicture(
            name,
            tuple(_region(number, item) for number, item in enumerate(values, 1)),
            size_bytes=_size_bytes(entry.get("size")),
        )


def _region(number: int, found: object) -> Region:
    entry = json_object(found) or {}
    labels = json_object(entry.get("region_attributes")) or {}
    return Region(number, labels, json_object(entry.get("shape_attributes")))


def _size_bytes(found: object) -> int | None:
    return (
        found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < 2**31 else None
    )  # more than any picture: written by mistake


def _read_csv(path: Path) -> AnnotationFile:
    return AnnotationFile(pictures=_csv_pictures(path))


def _csv_pictures(path: Path) -> Iterator[AnnotatedPicture]:
    """Yield the regions one by one, as rows; a picture without regions has a row with the shape {}."""
    counts: defaultdict[str, int] = defaultdict(int)
    for row in _rows(path):
        name = row["filename"]
        where = f"{path}: {shown(name)}, region {counts[name] + 1}"
        shape = json_object(_cell(row["region_shape_attributes"], "region_shape_attributes", where))
        labels = json_object(_cell(row["region_attributes"], "region_attributes", where)) or {}
        counts[name] += bool(shape)
        regions = (Region(counts[name], labels, shape),) if shape else ()
        yield AnnotatedPicture(name, regions, size_bytes=_csv_size_bytes(row.get("file_size", "")), complete=False)


def _csv_size_bytes(text: str) -> int | None:
    return _size_bytes(int(text)) if re.fullmatch("[0-9]{1,10}", text) else None


# Version 3 -------------------------------------------------------------------------------------------


def _read_via3(path: Path) -> AnnotationFile:
    check_json(path, item_depth=3)
    files = {key: _file_name(item) for key, item in members(path, "file")}
    views = {key: files.get(_only_file(item)) for key, item in members(path, "view")}
    names = _attribute_names(path)
    return AnnotationFile(_via3_options(path), _via3_pictures(path, views, names))


def _file_name(found: object) -> str | None:
    entry = json_object(found) or {}
    name = entry.get("fname")
    return name if isinstance(name, str) and name else None


def _only_file(view: object) -> str:
    files = (json_object(view) or {}).get("fid_list")
    return str(cast(list[object], files)[0]) if isinstance(files, list) and files else ""


def _attribute_names(path: Path) -> dict[str, str]:
    found = {key: (json_object(item) or {}).get("aname") for key, item in members(path, "attribute")}
    return {key: name if isinstance(name, str) and name else key for key, name in found.items()}


def _via3_options(path: Path) -> tuple[str, ...]:
    choices = [json_object((json_object(item) or {}).get("options")) for _, item in members(path, "attribute")]
    with_choices = [tuple(str(name) for name in item.values()) for item in choices if item]
    return with_choices[0] if len(with_choices) == 1 else ()


def _via3_pictures(path: Path, views: Mapping[str, str | None], names: Mapping[str, str]) -> Iterator[AnnotatedPicture]:
    """Yield the regions one by one, as VIA 3 stores them, then every picture, for those without any."""
    counts: dict[str, int] = {}
    options = {key: (json_object(item) or {}).get("options") for key, item in members(path, "attribute")}
    for key, found in members(path, "metadata"):
        entry = json_object(found) or {}
        name, where = views.get(str(entry.get("vid", ""))), f"{path}: the region '{shown(key, 40)}'"
        if name is None:
            raise AnnotationError(f"{where}: belongs to no picture; export the project again")
        if entry.get("z"):
            raise AnnotationError(f"{where}: belongs to a stretch of time; only pictures are read, not videos")
        if not entry.get("xy"):
            continue  # a caption of the whole picture
        counts[name] = counts.get(name, 0) + 1
        labels = _named(json_object(entry.get("av")) or {}, names, options)
        yield AnnotatedPicture(name, (Region(counts[name], labels, entry["xy"]),), complete=False)
    for name in views.values():
        if name is not None:
            yield AnnotatedPicture(name, (), complete=False)


def _named(values: JsonObject, names: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, object]:
    """Replace attribute ids by their names, and ids of options by theirs."""
    return {
        names.get(key, key): (json_object(options.get(key)) or {}).get(str(found), found)
        for key, found in values.items()
    }


def _read_via3_csv(path: Path) -> AnnotationFile:
    return AnnotationFile(pictures=_via3_csv_pictures(path))


def _via3_csv_pictures(path: Path) -> Iterator[AnnotatedPicture]:
    counts: dict[str, int] = {}
    for row in _rows(path):
        where = f"{path}: {shown(row['metadata_id'], 40)}"
        files = _cell(row["file_list"], "file_list", where)
        name = cast(list[object], files)[0] if isinstance(files, list) and files else None
        if not isinstance(name, str) or not name:
            raise AnnotationError(f"{where}: file_list names no picture; export the annotations again")
        if _cell(row["temporal_coordinates"], "temporal_coordinates", where):
            raise AnnotationError(f"{where}: belongs to a stretch of time; only pictures are read, not videos")
        xy = _cell(row["spatial_coordinates"], "spatial_coordinates", where)
        labels = json_object(_cell(row["metadata"], "metadata", where)) or {}
        counts[name] = counts.get(name, 0) + bool(xy)
        yield AnnotatedPicture(name, (Region(counts[name], labels, xy),) if xy else (), complete=False)


# CSV -------------------------------------------------------------------------------------------------


def _csv_header(path: Path) -> tuple[str, ...]:
    """Return the columns: the first row in versions 1 and 2, a comment `# CSV_HEADER = …` in version 3."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line in (file.readline(4096) for _ in range(20)):
                if line.startswith("# CSV_HEADER"):
                    return tuple(line.partition("=")[2].strip().split(","))
                if line.strip() and (not line.startswith("#") or line.startswith("#filename")):
                    return tuple(line.strip().removeprefix("#").split(","))
    except (OSError, UnicodeDecodeError):
        pass
    return ()


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file as dictionaries without absent columns.

    Raises:
        AnnotationError: not CSV, not UTF-8, or a row of another length than the header.
    """
    columns = _csv_header(path)
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for cells in csv.reader(_csv_lines(file, path), strict=True):
                if not cells or _is_comment(cells, columns):
                    continue
                if len(cells) != len(columns):
                    raise AnnotationError(
                        f"{path}: a row has {len(cells)} cells but the header {len(columns)}; "
                        f"the row begins with '{shown(cells[0], 40)}'; export the annotations again"
                    )
                yield dict(zip(columns, cells, strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise AnnotationError(f"{path}: is not CSV in UTF-8 ({shown(error)}); export the annotations again") from None


def _csv_lines(file: TextIO, path: Path) -> Iterator[str]:
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise AnnotationError(
                f"{path}: has a line of more than {_LONGEST_LINE >> 20} MB; export the annotations again"
            )
        yield line


def _is_comment(cells: Sequence[str], columns: Sequence[str]) -> bool:
    return cells[0].startswith("#") or cells[0] == columns[0]


def _cell(text: str, column: str, where: str) -> Any:
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"{where}: {column} is not JSON ({shown(error)}); export the annotations again") from None
