"""Coverage-guided fuzzing of every importer and of models' manifests, with atheris (https://github.com/google/atheris).

    python tests/fuzz/fuzz_importers.py coco tests/fuzz/corpus/coco -max_total_time=60

The first argument names a target, the rest goes to libFuzzer. Whatever the bytes, an import ends with
a data set that can be read, or with one sentence on one line that names the file; anything else is a finding.
"""

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["edge_seg", "PIL"], enable_loader_override=False):
    from edge_seg.dataset import Dataset
    from edge_seg.errors import AnnotationError, DatasetError, ImageError, UpdateError
    from edge_seg.images import decoded_size, mask_mode, read_image, read_mask
    from edge_seg.importers import (
        FORMATS,
        TRIMAP,
        VOC,
        Description,
        DrawingStyle,
        ImportOptions,
        LabelRules,
        import_annotations,
        import_masks,
        mask_layout,
        paired,
        parse_label_map,
        parse_mask_map,
        picture_folder,
        read_colour_file,
        recognise,
    )
    from edge_seg.updates.golden import agreement
    from edge_seg.updates.manifest import manifest_json, parse_manifest
    from edge_seg.updates.signing import verified

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

LONGEST_SENTENCE = 600
PICTURES = {"a.png": (16, 12), "b.jpg": (9, 7), "sub/c.png": (4, 4)}
KEY = Ed25519PrivateKey.generate().public_key()
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))
ABOUT = Description("fuzzed")
STRICT = ImportOptions()
LENIENT = ImportOptions(
    LabelRules(default_class="thing"),
    DrawingStyle(fill_polylines=True, point_radius=2, fill_boxes=True),
    skip_missing=True,
    skip_bad=True,
)


def annotations(format_name: str, file_name: str) -> Callable[[bytes], None]:
    """Return a target that imports the bytes as an annotation file, strictly and leniently."""

    def target(data: bytes) -> None:
        with inputs() as (folder, out):
            file = folder / file_name
            file.write_bytes(data)
            recognise(file)
            for options in (STRICT, LENIENT):
                if imported(lambda chosen=options: import_file(format_name, file, folder, out, chosen), folder):
                    check_dataset(out)
                    shutil.rmtree(out)

    return target


def import_file(format_name: str, file: Path, folder: Path, out: Path, options: ImportOptions) -> None:
    """Import one annotation file."""
    import_annotations(FORMATS[format_name], [file], picture_folder(folder, file), out, options, ABOUT)


def picture(data: bytes) -> None:
    """Decode the bytes as a picture and as a mask in every way there is."""
    with inputs() as (folder, _):
        file = folder / "d.png"
        file.write_bytes(data)
        for decode in (read_image, read_mask, mask_mode, decoded_size):
            try:
                decode(file)
            except ImageError as error:
                check_sentence(str(error), folder)


def masks(data: bytes) -> None:
    """Import the bytes as the mask of a picture, under every kind of map."""
    with inputs() as (folder, out):
        (folder / "masks").mkdir()
        mask = folder / "masks" / "a.png"
        mask.write_bytes(data)
        (folder / "a").mkdir()
        shutil.copy(folder / "a.png", folder / "a" / "a.png")
        for mask_map in (
            TRIMAP,
            VOC,
            parse_mask_map("0=background,1=x"),
            parse_mask_map("#000000=background,#ff0000=x"),
        ):
            if imported(
                lambda chosen=mask_map: import_masks(paired(folder / "a", mask.parent), out, chosen, ABOUT), folder
            ):
                check_dataset(out)
                shutil.rmtree(out)


def colours(data: bytes) -> None:
    """Read the bytes as a list of colours, as maps on the command line, and in a VOC folder."""
    with inputs() as (folder, _):
        voc = folder / "voc"
        shutil.copytree(folder / "sub", voc / "JPEGImages")
        shutil.copytree(folder / "sub", voc / "SegmentationClass")
        file = voc / "labelmap.txt"
        file.write_bytes(data)
        imported(lambda: read_colour_file(file), folder)
        imported(lambda: mask_layout(voc), folder)
        text = data.decode("utf-8", "replace")
        imported(lambda: parse_mask_map(text), None)
        imported(lambda: parse_label_map(text), None)


def yaml_names(data: bytes) -> None:
    """Import YOLO labels whose class names are the bytes, read as data.yaml."""
    with inputs() as (folder, out):
        (folder / "data.yaml").write_bytes(data)
        file = folder / "a.txt"
        file.write_text("0 0.1 0.1 0.9 0.1 0.5 0.9\n")
        if imported(lambda: import_file("yolo", file, folder, out, STRICT), folder):
            check_dataset(out)


def manifest(data: bytes) -> None:
    """Take the bytes for a signed manifest, which nobody can have signed, and for what was signed."""
    try:
        verified(data, KEY)
    except UpdateError as error:
        check_sentence(str(error), None)
    else:
        raise AssertionError("a signature was forged")
    try:
        read = parse_manifest(data)
        assert parse_manifest(manifest_json(read)) == read
        agreement(read.golden, np.zeros((2, 3), np.uint8))
    except UpdateError as error:
        check_sentence(str(error), None)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "via": annotations("via", "via.json"),
    "via_csv": annotations("via", "via.csv"),
    "coco": annotations("coco", "coco.json"),
    "labelme": annotations("labelme", "labelme.json"),
    "cvat": annotations("cvat", "cvat.xml"),
    "yolo": annotations("yolo", "a.txt"),
    "yaml_names": yaml_names,
    "masks": masks,
    "colours": colours,
    "picture": picture,
    "manifest": manifest,
}


@contextmanager
def inputs() -> Iterator[tuple[Path, Path]]:
    """Make a folder of pictures and a place for the data set; afterwards nothing else may be beside them."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder, out = Path(name) / "in", Path(name) / "out"
        shutil.copytree(FOLDER / "pictures", folder)
        yield folder, out
        strays = {path.name for path in Path(name).iterdir()} - {"in", "out"}
        assert not strays, f"left behind: {strays}"


def imported(run: Callable[[], object], folder: Path | None) -> bool:
    """Return True when `run` ends well, False when it refuses in one sentence."""
    try:
        run()
    except (AnnotationError, DatasetError) as error:
        check_sentence(str(error), folder)
        return False
    return True


def check_sentence(sentence: str, folder: Path | None) -> None:
    """Check that an error is one readable line that names a file below `folder`."""
    shown = sentence.replace(str(folder), "")
    assert len(shown) <= LONGEST_SENTENCE, f"an error of {len(sentence)} characters: {sentence[:200]!r}"
    assert shown.isprintable(), f"an error with control characters: {sentence!r}"
    assert folder is None or str(folder) in sentence, f"an error that names no file: {sentence!r}"


def check_dataset(out: Path) -> None:
    """Check that a data set can be opened and every picture read."""
    dataset = Dataset.open(out)
    for split in ("train", "val"):
        if dataset.has_split(split):
            for sample in dataset.samples(split):
                dataset.read(sample)


# Bytes alone would nearly always break the syntax, so half of all mutations change one value of the JSON ----

_HOSTILE: tuple[Any, ...] = (
    *(
        None,
        True,
        [],
        {},
        "",
        0,
        -1,
        1,
        2,
        3,
        7,
        255,
        256,
        2**31,
        2**32,
        2**63,
        2**64,
        10**40,
        -0.0,
        0.5,
        1e-308,
        1e308,
    ),
    *("a.png", "../a.png", "/etc/passwd", "C:\\a.png", "file:///a.png", "%2e%2e/a.png", "http://[", "sub/c.png"),
    *("x", "\x00", "\n", "\ud800", "\udc80", "[red]", "é", "x" * 300, "ignore", "background", "_background_"),
    *("polygon", "rectangle", "circle", "points", "mask", "polyline", "ellipse", "line", "linestrip", "point"),
    *(
        [16, 12],
        [12, 16],
        [0, 0, 5, 5],
        [7, 1, 1, 9, 1, 9, 9],
        [[1, 1], [9, 1], [9, 9]],
        {"counts": "0", "size": [12, 16]},
    ),
)


def mutate_json(data: bytes, max_size: int, seed: int) -> bytes:
    """Replace, drop or double one value of a JSON document, or mutate its bytes."""
    chance = random.Random(seed)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    places = list(_places(document))
    if not places or chance.random() < 0.3:
        return atheris.Mutate(data, max_size)
    holder, key = chance.choice(places)
    _change(holder, key, chance)
    return json.dumps(document).encode()[:max_size]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(inside):
        yield value, key
        yield from _places(item)


def _change(holder: Any, key: Any, chance: random.Random) -> None:
    kind = chance.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif kind == 2 and isinstance(holder, dict):
        holder[str(chance.choice(_HOSTILE))] = holder.pop(key)
    elif kind == 3:
        holder[key] = [holder[key]]
    else:
        holder[key] = json.loads(json.dumps(chance.choice(_HOSTILE)))


def main() -> None:
    """Run one target under libFuzzer."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: fuzz_importers.py {{{','.join(TARGETS)}}} [corpus folder] [libFuzzer options]")
    name = sys.argv.pop(1)
    for inside, size in PICTURES.items():
        path = FOLDER / "pictures" / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size).save(path)
    as_json = name in ("via", "coco", "labelme", "manifest")
    atheris.Setup(sys.argv, TARGETS[name], custom_mutator=mutate_json if as_json else None)
    atheris.Fuzz()  # libFuzzer ends the process: FOLDER is for fuzz_all.py to remove


if __name__ == "__main__":
    main()
