"""The road all annotation formats share: read, find the pictures, settle the classes, draw the masks."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from edge_seg.dataset import Sample
from edge_seg.errors import AnnotationError
from edge_seg.importers.annotations import AnnotationFormat, DrawingStyle
from edge_seg.importers.description import Description, ImportReport
from edge_seg.importers.drawing import Drawer, DrawingTask, draw
from edge_seg.importers.labels import LabelCensus, LabelRules, settle_classes
from edge_seg.importers.pictures import PictureFolder, output_names
from edge_seg.importers.region_store import RegionStore, StoredPicture
from edge_seg.importers.wording import shown
from edge_seg.parallel import map_in_processes
from edge_seg.progress import Track, untracked


@dataclass(frozen=True)
class ImportOptions:
    """How annotations become a data set.

    Attributes:
        rules: how regions get their class.
        style: how shapes without an area are drawn.
        skip_missing: leave out pictures whose file is absent; otherwise they end the import.
        skip_empty: leave out pictures without regions; otherwise they are all background.
        skip_bad: leave out pictures that cannot be decoded or whose regions cannot be drawn.
    """

    rules: LabelRules = field(default_factory=LabelRules)
    style: DrawingStyle = field(default_factory=DrawingStyle)
    skip_missing: bool = False
    skip_empty: bool = False
    skip_bad: bool = False


def import_annotations(
    annotation_format: AnnotationFormat,
    files: Sequence[Path],
    pictures: PictureFolder,
    out: Path,
    options: ImportOptions,
    description: Description,
    *,
    track: Track = untracked,
) -> ImportReport:
    """Make the data set `out` from annotation files and a folder of pictures.

    Later regions are drawn over earlier ones, and those of later files over those of earlier files.
    Class 0 is the background; a region labelled like it cuts a hole, one labelled `ignore` neither
    trains nor scores. Pictures are copied byte for byte; masks have their EXIF-oriented size.

    Raises:
        AnnotationError: a file not of the format, an absent or undecodable picture, or a region that
            cannot be drawn or has no class; it names the file and the region.
        DatasetError: `out` exists.
    """
    with RegionStore() as store:
        labels = _read(annotation_format, files, options.rules, store)
        classes = settle_classes(labels.used, options.rules, labels.order, files[0])
        writer = description.writer(out, classes)
        matches = _match(store, pictures, options, files[0])
        found, skipped = matches.found, [f"{shown(name, 200)}: not in {pictures.folder}" for name in matches.absent]
        if options.skip_empty:
            skipped += [f"{path}: has no regions" for path, entries in found.items() if not _region_count(entries)]
            found = {path: entries for path, entries in found.items() if _region_count(entries)}
        names = output_names(found, pictures.folder)
        imported = empty = closed_polylines = 0
        with writer:
            drawer = Drawer.make(
                annotation_format, labels.attributes, options.rules, options.style, classes, skip_bad=options.skip_bad
            )
            tasks = _Tasks(store, found, {path: writer.place(name) for path, name in names.items()})
            results = map_in_processes(partial(draw, drawer), tasks)
            for (path, entries), drawn in zip(found.items(), track(results, total=len(found)), strict=True):
                if drawn.fault is not None:
                    skipped.append(drawn.fault)
                    continue
                closed_polylines += drawn.closed_polylines
                writer.record(names[path])
                imported += 1
                empty += not _region_count(entries)
            if not imported:
                raise AnnotationError(_nothing_sentence(files[0], skipped))
    notes = [*matches.notes, *_polyline_note(closed_polylines)]
    return ImportReport(imported, empty, tuple(skipped), tuple(notes))


def _polyline_note(closed: int) -> list[str]:
    if not closed:
        return []
    return [f"{closed} polylines end where they began; if they outline objects, import again with  --fill-polylines"]


def _nothing_sentence(file: Path, skipped: Sequence[str]) -> str:
    if not skipped:
        return f"{file}: lists no pictures; annotate some first"
    return f"{file}: all its {len(skipped)} pictures were left out, the first because: {shown(skipped[0], 300)}"


@dataclass(frozen=True)
class _Labels:
    """The attribute that names the class in each file, the labels in use, and the files' order of them."""

    attributes: Mapping[Path, str]
    used: frozenset[str]
    order: tuple[str, ...]


def _read(annotation_format: AnnotationFormat, files: Sequence[Path], rules: LabelRules, store: RegionStore) -> _Labels:
    """Put all regions into the store."""
    attributes: dict[Path, str] = {}
    used: set[str] = set()
    order: list[str] = []
    for file in files:
        census, annotations = LabelCensus(), annotation_format.read(file)
        for picture in annotations.pictures:
            for region in picture.regions:
                census.add(region.attributes, f"{file}: {shown(picture.file_name)}, region {region.number}")
            store.add(picture, file)
        attributes[file] = census.attribute(rules, annotation_format.label_attribute, file)
        used |= census.labels(attributes[file], file)
        order += annotations.class_order
    return _Labels(attributes, frozenset(used), tuple(dict.fromkeys(order)))


@dataclass(frozen=True)
class _Matches:
    """Every picture with its entries in the annotations, names without a picture, and notes."""

    found: Mapping[Path, Sequence[StoredPicture]]
    absent: Sequence[str]
    notes: Sequence[str]


def _match(store: RegionStore, pictures: PictureFolder, options: ImportOptions, file: Path) -> _Matches:
    found: defaultdict[Path, list[StoredPicture]] = defaultdict(list)
    absent: list[str] = []
    notes: list[str] = []
    for entry in store.pictures():
        path = pictures.find(entry.file_name, str(entry.file))
        if path is None and (path := pictures.find_by_size(entry.size_bytes)) is not None:
            notes.append(
                f"'{shown(entry.file_name)}' was found by its {entry.size_bytes} bytes under the name {path.name}"
            )
        if path is None:
            absent.append(entry.file_name)
            continue
        _refuse_second_entry(found[path], entry, path)
        found[path].append(entry)
    if absent and not options.skip_missing:
        raise AnnotationError(
            f"{file}: {len(absent)} of {len(absent) + len(found)} pictures are not in {pictures.folder}, first "
            f"'{shown(absent[0], 200)}'; name their folder with --images or leave them out with --skip-missing"
        )
    return _Matches(found, absent, notes)


def _refuse_second_entry(entries: Sequence[StoredPicture], entry: StoredPicture, path: Path) -> None:
    """Refuse two entries of one file for one picture; several files may each annotate it."""
    for other in entries:
        if other.file == entry.file:
            raise AnnotationError(
                f"{entry.file}: both '{shown(other.file_name)}' and '{shown(entry.file_name)}' mean the picture "
                f"{path}; keep one of the two entries"
            )


def _region_count(entries: Sequence[StoredPicture]) -> int:
    return sum(entry.region_count for entry in entries)


@dataclass(frozen=True)
class _Tasks:
    """Fetches the regions of a picture when its turn comes."""

    store: RegionStore
    found: Mapping[Path, Sequence[StoredPicture]]
    places: Mapping[Path, Sample]

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[DrawingTask]:
        for path, entries in self.found.items():
            regions = [content for entry in entries for content in self.store.packed_regions(entry.key)]
            size = next((entry.size for entry in entries if entry.size is not None), None)
            yield DrawingTask(path, self.places[path], entries[0].file_name, size, regions)
