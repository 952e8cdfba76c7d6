"""Hostile annotations and pictures: whatever the bytes, the answer is a data set or one sentence on one line."""

import base64
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edge_seg.dataset import Dataset
from edge_seg.errors import AnnotationError, DatasetError, ImageError
from edge_seg.images import read_image, read_mask
from edge_seg.importers import (
    FORMATS,
    Description,
    DrawingStyle,
    ImportOptions,
    LabelRules,
    import_annotations,
    import_masks,
    paired,
    parse_mask_map,
    picture_folder,
    recognise,
)
from edge_seg.importers.annotations import AnnotatedPicture
from edge_seg.importers.bitmaps import RunLengths
from edge_seg.importers.bounded_file import LONGEST_STRING_BYTES, BoundedFile
from edge_seg.importers.region_store import RegionStore
from edge_seg.importers.wording import listed, shown

SIZE = WIDTH, HEIGHT = 16, 12
LONGEST_SENTENCE = 500
CORPUS = Path(__file__).parent / "fuzz" / "corpus"
STRICT = ImportOptions()
LENIENT = ImportOptions(
    LabelRules(default_class="thing"),
    DrawingStyle(fill_polylines=True, point_radius=2, fill_boxes=True),
    skip_missing=True,
    skip_bad=True,
)


class Site:
    """A folder with two pictures, one of them in a folder of its own, and the place of the data set beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder / "in", folder / "out"
        (self.folder / "sub").mkdir(parents=True)
        for name in ("a.png", "sub/b.png"):
            Image.new("RGB", SIZE).save(self.folder / name)

    def answer(
        self, format_name: str, content: str | bytes, options: ImportOptions = STRICT, name: str | None = None
    ) -> str:
        """Import one file; return the error's sentence, or "" when a data set came of it."""
        file = self.folder / (name or {"cvat": "x.xml", "yolo": "a.txt"}.get(format_name, "x.json"))
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        recognise(file)
        return self.outcome(
            lambda: import_annotations(
                FORMATS[format_name],
                [file],
                picture_folder(self.folder, file),
                self.out,
                options,
                Description("hostile"),
            )
        )

    def outcome(self, run: Callable[[], object]) -> str:
        try:
            run()
        except (AnnotationError, DatasetError) as error:
            assert sorted(path.name for path in self.folder.parent.iterdir()) == ["in"]
            check_sentence(str(error), self.folder)
            return str(error)
        dataset = Dataset.open(self.out)
        for split in ("train", "val"):
            for sample in dataset.samples(split) if dataset.has_split(split) else ():
                dataset.read(sample)
        return ""


def check_sentence(sentence: str, folder: Path) -> None:
    shortened = sentence.replace(str(folder), "")
    assert len(shortened) <= LONGEST_SENTENCE
    assert shortened.isprintable()
    assert str(folder) in sentence


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def via(name: Any = "a.png", label: Any = "leaf", shape: Any = None, attribute: str = "kind", **entry: Any) -> str:
    shape = {"name": "rect", "x": 1, "y": 1, "width": 5, "height": 5} if shape is None else shape
    regions = [{"shape_attributes": shape, "region_attributes": {attribute: label}}]
    return json.dumps({"k": {"filename": name, "size": 1, "regions": regions, **entry}})


def coco(segmentation: Any, size: Any = SIZE, name: Any = "a.png", **annotation: Any) -> str:
    image = {"id": 1, "file_name": name, "width": size[0], "height": size[1]}
    found = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation, **annotation}
    return json.dumps({"images": [image], "categories": [{"id": 1, "name": "leaf"}], "annotations": [found]})


def labelme(shape: dict[str, Any], **document: Any) -> str:
    return json.dumps({"imagePath": "a.png", "shapes": [{"label": "leaf", **shape}], **document})


def cvat(inside: str, image: str = 'name="a.png"') -> str:
    return f"<annotations><image {image}>{inside}</image></annotations>"


def png(width: int, height: int) -> bytes:
    """A grey PNG that says it has that size; its pixels are cut off after the first 16."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(5 * 4))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


# Names -----------------------------------------------------------------------------------------------


OUTSIDE = [
    "../../secret.png",
    "/etc/secret.png",
    "C:\\x\\secret.png",
    "\\\\server\\secret.png",
    "file:///etc/secret.png",
    "%2e%2e%2fsecret.png",
    "..",
    "/",
    "http://[",
]


@pytest.mark.parametrize(
    "name", [*OUTSIDE, "\x00", "a\nb.png", "[red]x[/red].png", "\ud800.png", "x" * 100_000, "CON.png"]
)
@pytest.mark.parametrize("format_name", ["via", "coco", "labelme", "cvat"])
def test_a_name_reaches_nothing_outside_the_folder(site: Site, format_name: str, name: str) -> None:
    Image.new("RGB", SIZE).save(site.folder.parent / "secret.png")
    (site.folder.parent / "secret.png").rename(site.folder.parent.parent / "secret.png")
    content = {
        "via": via(name),
        "coco": coco([[1, 1, 9, 1, 9, 9]], name=name),
        "labelme": labelme({"points": [[1, 1], [9, 1], [9, 9]]}, imagePath=name),
        "cvat": cvat('<box label="x" xtl="1" ytl="1" xbr="5" ybr="5"/>', image=f'name="{name}"'),
    }[format_name]
    assert site.answer(format_name, content)


@pytest.mark.parametrize("name", ["../../a.png", "/elsewhere/a.png", "C:\\photos\\a.png", "file:///etc/a.png", "A.PNG"])
def test_of_a_path_only_the_end_counts(site: Site, name: str) -> None:
    assert site.answer("via", via(name)) == ""
    assert [path.name for path in (site.out / "images").iterdir()] == ["a.png"]


def test_a_link_to_a_folder_is_not_followed_and_one_to_a_picture_is_copied(site: Site, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    Image.new("RGB", SIZE).save(outside / "c.png")
    (site.folder / "linked").symlink_to(outside)
    assert "not in" in site.answer("via", via("c.png"))
    (site.folder / "d.png").symlink_to(outside / "c.png")
    assert site.answer("via", via("d.png")) == ""
    assert not (site.out / "images" / "d.png").is_symlink()


def test_a_pipe_is_not_waited_for(site: Site) -> None:
    os.mkfifo(site.folder / "c.png")
    assert "not in" in site.answer("via", via("c.png"))


@pytest.mark.parametrize("name", [" c.png", "c\nd.png", "c\u2028d.png", "c" * 225 + ".png", b"c\xff.png"])
def test_a_picture_that_no_list_can_name_is_refused(site: Site, name: str | bytes) -> None:
    picture = site.folder / os.fsdecode(name)
    Image.new("RGB", SIZE).save(picture)
    shape = '<box label="x" xtl="1" ytl="1" xbr="5" ybr="5"/>'
    written = picture.name.replace("\n", "&#10;").encode("utf-8", "replace").decode()
    if isinstance(name, str):
        assert "cannot hold the file name" in site.answer("cvat", cvat(shape, image=f'name="{written}"'))
    (site.folder / "p").mkdir()
    (site.folder / "m").mkdir()
    picture.rename(site.folder / "p" / picture.name)
    Image.new("L", SIZE).save(site.folder / "m" / picture.name)
    pairs = paired(site.folder / "p", site.folder / "m")
    answer = site.outcome(lambda: import_masks(pairs, site.out, parse_mask_map("0=x"), Description("x")))
    assert "cannot hold the file name" in answer


def test_an_annotation_file_may_have_any_name(site: Site) -> None:
    assert site.answer("via", via(), name=os.fsdecode(b"x\xff.json")) == ""


# Values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        ("x" * 201, "not a name"),
        ("a\nb", r"'a\nb', a text"),
        (1.5, "not a name"),
        ([[]], "not a name"),
    ],
)
def test_what_is_no_label_is_refused(site: Site, label: Any, sentence: str) -> None:
    assert sentence in site.answer("via", via(label=label))


def test_more_classes_than_a_mask_holds_are_refused(site: Site) -> None:
    entries = [json.loads(via(label=f"c{number}"))["k"]["regions"][0] for number in range(255)]
    assert "its regions have 255 classes" in site.answer("via", via(regions=entries))


def test_endless_attributes_are_refused(site: Site) -> None:
    entries = [json.loads(via(attribute=f"c{number}"))["k"]["regions"][0] for number in range(150)]
    assert "more than 100 different attributes" in site.answer("via", via(regions=entries))


@pytest.mark.parametrize("size", [(2**62, 12), (16, -12), (10**40, 10**40), (0, 0), (10**9, 10**9)])
def test_a_canvas_no_picture_has_is_refused(site: Site, size: tuple[int, int]) -> None:
    assert site.answer("coco", coco([[1, 1, 9, 1, 9, 9]], size))
    assert site.answer("labelme", labelme({}, imageWidth=size[0], imageHeight=size[1]))


@pytest.mark.parametrize(("name", "size"), [("x" * 5000, SIZE), ("a.png", (2**63, 12)), ("a.png", (0, 12))])
def test_the_store_refuses_what_it_cannot_hold(name: str, size: tuple[int, int]) -> None:
    with (
        RegionStore() as store,
        pytest.raises(AnnotationError, match=r"x\.json: the (name|size) .* correct it") as caught,
    ):
        store.add(AnnotatedPicture(name, (), size=size), Path("x.json"))
    assert len(str(caught.value)) < LONGEST_SENTENCE


@pytest.mark.parametrize(
    "number", ["1e308", "-1e308", "1e400", "1" + "0" * 400, "1" + "0" * 5000, "NaN", "Infinity", '"5"', "[]"]
)
@pytest.mark.parametrize("format_name", ["via", "coco", "labelme"])
def test_numbers_beyond_any_picture_are_refused(site: Site, format_name: str, number: str) -> None:
    text = {
        "via": via(shape={"name": "circle", "cx": 5, "cy": 5, "r": "NUMBER"}),
        "coco": coco([[1, 1, 9, 1, 9, "NUMBER"]]),
        "labelme": labelme({"points": [[1, 1], [9, 1], [9, "NUMBER"]]}),
    }[format_name]
    assert site.answer(format_name, text.replace('"NUMBER"', number))


@pytest.mark.parametrize("number", ["1e-308", "-0.0", "-5", "0.49999999999999994"])
def test_odd_numbers_inside_the_picture_are_drawn(site: Site, number: str) -> None:
    assert site.answer("coco", coco([[1, 1, 9, 1, 9, "NUMBER"]]).replace('"NUMBER"', number)) == ""


@pytest.mark.parametrize(
    "shape",
    [
        f'<polygon label="x" points="{"1,1;" * 3}nan,1"/>',
        '<polygon label="x" points="1,1;2"/>',
        '<mask label="x" rle="-1, 5" left="0" top="0" width="2" height="2"/>',
        f'<mask label="x" rle="{"9" * 4000}" left="0" top="0" width="2" height="2"/>',
        f'<mask label="x" rle="4" left="0" top="0" width="{"9" * 4000}" height="2"/>',
        '<box label="x" xtl="1e400" ytl="1" xbr="5" ybr="5"/>',
        '<box label="x" xtl="1" ytl="1" xbr="5" ybr="5" z_order="inf"/>',
        f"<{'é' * 500}/>",
    ],
)
def test_cvat_values_no_shape_has_are_refused(site: Site, shape: str) -> None:
    assert site.answer("cvat", cvat(shape))


@pytest.mark.parametrize(
    "text", ["9" * 5000 + " .1 .1 .2 .1 .2 .2", "0 " + "9" * 5000, "0 nan 1 1 1 1 1", "\0", "0 1e400 1 1 1 1 1"]
)
def test_yolo_values_no_shape_has_are_refused(site: Site, text: str) -> None:
    assert site.answer("yolo", text)


@pytest.mark.parametrize(
    "names",
    [
        "names: *x",
        "names:\n  - [",
        "names: " + "[" * 1000,
        "names: {0: x, 2: y}",
        "names: 5",
        "- x",
        '"\\ud800"',
        "\0",
        "names: !!python/object:os.system x",
    ],
)
def test_class_names_that_are_none_are_refused_on_one_line(site: Site, names: str) -> None:
    (site.folder / "data.yaml").write_text(names)
    assert "data.yaml" in site.answer("yolo", "0 .1 .1 .5 .1 .5 .5")


# Bitmaps ---------------------------------------------------------------------------------------------


@given(st.binary(min_size=12, max_size=12), st.booleans())
def test_compressed_run_lengths_are_read_as_pycocotools_reads_them(pixels: bytes, as_text: bool) -> None:
    coco_masks = pytest.importorskip("pycocotools.mask")
    mask = (np.frombuffer(pixels, np.uint8).reshape(3, 4) % 2).astype(np.uint8)
    encoded = coco_masks.encode(np.asfortranarray(mask))
    counts = encoded["counts"].decode() if as_text else tuple(_runs(mask))
    painted = np.zeros((3, 4), np.uint8)
    RunLengths(counts, (3, 4)).paint(painted, 1, "here")
    np.testing.assert_array_equal(painted, mask)


def _runs(mask: np.ndarray) -> Iterator[int]:
    """Lengths of runs down the columns, 0 first."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    yield from ([] if flat[0] == 0 else [0])
    yield from np.diff([0, *edges, len(flat)]).tolist()


@given(st.text(st.characters(max_codepoint=255), max_size=30))
def test_malformed_run_lengths_leave_no_chance_pixels(text: str) -> None:
    painted = np.full((HEIGHT, WIDTH), 7, np.uint8)
    with suppress(AnnotationError):
        RunLengths(text, (HEIGHT, WIDTH)).paint(painted, 1, "here")
    assert set(np.unique(painted).tolist()) <= {1, 7}


@pytest.mark.parametrize(
    ("counts", "size"),
    [
        ("0", [HEIGHT, WIDTH]),
        ("oooooo0", [HEIGHT, WIDTH]),
        ("", [HEIGHT, WIDTH]),
        ([193, -1], [HEIGHT, WIDTH]),
        ([2**62, 2**62], [HEIGHT, WIDTH]),
        ([], [HEIGHT, WIDTH]),
        ([0], [0, 0]),
        ([10**18], [10**9, 10**9]),
        ("0", None),
    ],
)
def test_run_lengths_that_are_no_mask_are_refused(site: Site, counts: Any, size: Any) -> None:
    assert "x.json: a.png, region 1" in site.answer("coco", coco({"counts": counts, "size": size}))


@pytest.mark.parametrize(
    ("data", "corner"),
    [
        (png(60_000, 60_000), 0),
        (png(12_000, 9000), 0),
        (png(4, 4), -1),
        (png(4, 4), 14),
        (png(4, 4)[:45], 0),
        (b"GIF89a", 0),
    ],
    ids=["bomb", "bomb that Pillow lets pass", "left of", "right of", "cut", "gif"],
)
def test_labelme_masks_that_do_not_fit_are_refused(site: Site, data: bytes, corner: int) -> None:
    shape = {"shape_type": "mask", "points": [[corner, 0]], "mask": base64.b64encode(data).decode()}
    assert "x.json: a.png, region 1: its mask" in site.answer("labelme", labelme(shape))


# Any document at all ---------------------------------------------------------------------------------


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 20),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["a.png", "b.png", "polygon", "rect", "mask", "points", "leaf", "ignore", "x" * 300, "\ud800"]),
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)
ZONES: dict[str, Callable[[Any], str]] = {
    "via name": via,
    "via label": lambda found: via(label=found),
    "via shape": lambda found: via(shape=found),
    "via regions": lambda found: via(regions=found),
    "via size": lambda found: via(size=found),
    "coco segmentation": coco,
    "coco counts": lambda found: coco({"counts": found, "size": [HEIGHT, WIDTH]}),
    "coco size": lambda found: coco([[1, 1, 9, 1, 9, 9]], (found, found)),
    "coco category": lambda found: coco([[1, 1, 9, 1, 9, 9]], category_id=found),
    "coco attributes": lambda found: coco([[1, 1, 9, 1, 9, 9]], attributes=found, bbox=found),
    "labelme points": lambda found: labelme({"points": found}),
    "labelme shape": lambda found: labelme({"shape_type": found, "points": [[1, 1], [9, 9]]}),
    "labelme mask": lambda found: labelme({"shape_type": "mask", "points": [[1, 1]], "mask": found}),
    "labelme path": lambda found: labelme({}, imagePath=found),
}


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=documents, lenient=st.booleans())
def test_any_value_at_any_place_is_answered(
    tmp_path_factory: pytest.TempPathFactory, zone: str, found: Any, lenient: bool
) -> None:
    site = Site(tmp_path_factory.mktemp("any"))
    site.answer(zone.partition(" ")[0], ZONES[zone](found), LENIENT if lenient else STRICT)


@pytest.mark.parametrize("format_name", ["via", "coco", "labelme", "cvat", "yolo"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60))
def test_any_bytes_are_answered(tmp_path_factory: pytest.TempPathFactory, format_name: str, content: bytes) -> None:
    Site(tmp_path_factory.mktemp("bytes")).answer(format_name, content)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.text(max_size=40))
def test_any_row_of_csv_is_answered(tmp_path_factory: pytest.TempPathFactory, row: str) -> None:
    header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
    Site(tmp_path_factory.mktemp("csv")).answer("via", header + row, name="x.csv")


# Pictures --------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(["PNG", "GIF", "JPEG", "TIFF", "WEBP", "BMP"]),
    spoilt=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.integers(0, 400) | st.none(),
)
def test_a_spoilt_picture_is_an_array_or_one_sentence(
    tmp_path: Path, form: str, spoilt: list[tuple[int, int]], cut: int | None
) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(12, 16)).save(path, form)
    data = bytearray(path.read_bytes())
    for place, value in spoilt:
        data[place % len(data)] = value
    path.write_bytes(data[:cut])
    for decode in (read_image, read_mask):
        try:
            answer = decode(path)
        except ImageError as error:
            answer = str(error)
        if isinstance(answer, str):
            check_sentence(answer, tmp_path)


@pytest.mark.parametrize("side", [(60_000, 60_000), (12_000, 9000)], ids=["bomb", "one that Pillow only warns of"])
def test_a_picture_beyond_the_limit_is_refused_undecoded(site: Site, side: tuple[int, int]) -> None:
    (site.folder / "c.png").write_bytes(png(*side))
    assert "pixels" in site.answer("via", via("c.png"))


@pytest.mark.parametrize("text", ["0=background,1=x", "#000000=background,#ffffff=x"])
@pytest.mark.parametrize("mode", ["L", "I;16", "RGB", "RGBA", "CMYK", "F"])
def test_masks_of_every_mode_with_strange_values_are_answered(site: Site, mode: str, text: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(1, 255, (HEIGHT, WIDTH, 3), np.uint8))
    for folder in ("m", "p"):
        (site.folder / folder).mkdir()
    noise.save(site.folder / "p" / "a.png")
    converted = noise.convert("L" if mode in ("I;16", "F") else "RGB").convert(mode)
    converted.save(site.folder / "m" / "a.png", "TIFF")
    pairs = paired(site.folder / "p", site.folder / "m")
    assert "a.png" in site.outcome(lambda: import_masks(pairs, site.out, parse_mask_map(text), Description("x")))


def test_what_fuzzing_found_is_answered() -> None:
    for path in sorted((CORPUS / "picture").iterdir()):
        for decode in (read_image, read_mask):
            with suppress(ImageError):
                decode(path)


@pytest.mark.parametrize("format_name", ["via", "coco", "labelme", "cvat", "yolo"])
def test_the_seeds_of_fuzzing_are_imported_or_refused(tmp_path: Path, format_name: str) -> None:
    for number, path in enumerate(sorted((CORPUS / format_name).iterdir())):
        Site(tmp_path / str(number)).answer(format_name, path.read_bytes(), LENIENT)


# Size ------------------------------------------------------------------------------------------------


def peak_growth_mb(run: Callable[[], object]) -> float:
    """Run, and return by how much this process was larger in between."""
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back
    before = _status_mb("VmRSS")
    run()
    return _status_mb("VmHWM") - before


def _status_mb(key: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) / 1024


BOMBS: dict[str, tuple[str, Callable[[], str]]] = {
    "deep lists": ("via", lambda: "[" * 10**6),
    "deep objects": ("coco", lambda: '{"images":' * 10**5),
    "deep elements": ("cvat", lambda: "<annotations>" + "<a>" * 10**6),
    "regions without end": ("yolo", lambda: "0 .1 .1 .2 .1 .2 .2\n" * 10**5),
    "elements without end": ("cvat", lambda: cvat("<box/>" * 250_100)),
    "a tangle": ("via", lambda: via("wide.png", shape=_tangle(2600))),
    "entities": ("cvat", lambda: '<!DOCTYPE annotations [<!ENTITY a "a">]>' + cvat("&a;")),
    "an outside entity": (
        "cvat",
        lambda: '<!DOCTYPE annotations [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + cvat("&a;"),
    ),
}


def _tangle(points: int) -> dict[str, Any]:
    """A line to and fro across a picture of 4000×2 pixels."""
    return {"name": "polyline", "all_points_x": [0, 4000] * points, "all_points_y": [0, 1] * points}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_in_little_memory(site: Site, bomb: str) -> None:
    format_name, write = BOMBS[bomb]
    content, answers = write(), list[str]()
    Image.new("L", (4000, 2)).save(site.folder / "wide.png")
    growth = peak_growth_mb(lambda: answers.append(site.answer(format_name, content)))
    assert answers[0]
    assert growth < 400


def test_a_list_without_end_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_seg.importers.streaming._MOST_EVENTS", 1000)  # the real one takes seconds
    assert "holds more than 1000 numbers" in site.answer("via", via(regions=[[]] * 501))


def test_a_dense_outline_is_drawn(site: Site) -> None:
    turn = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    points = np.stack([8 + 5 * np.cos(turn), 6 + 5 * np.sin(turn)], axis=1)
    assert site.answer("coco", coco([points.ravel().tolist()])) == ""
    assert 70 < np.count_nonzero(read_mask(site.out / "masks" / "a.png")) < 87


class Letters:
    """A file of one letter, as long as it is read."""

    def read(self, size: int = -1) -> bytes:
        return b"x" * size


def test_a_string_without_end_is_refused() -> None:
    letters: Any = Letters()
    file = BoundedFile(letters, Path("x.json"), ends=b'"')
    for _ in range(LONGEST_STRING_BYTES >> 20):
        file.read(1 << 20)
    with pytest.raises(AnnotationError, match=r"x\.json: holds a text"):
        file.read(1)


# The command -----------------------------------------------------------------------------------------


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", "from edge_seg.cli import main; main()", "data", "import", *map(str, arguments)]


@pytest.mark.parametrize("out", ["in", "in/a.png", "in/sub"])
def test_an_out_folder_that_is_in_use_is_refused(site: Site, out: str) -> None:
    site.out = site.folder.parent / out
    assert "exists already" in site.answer("via", via())
    assert {path.name for path in site.folder.iterdir()} == {"a.png", "sub", "x.json"}


def test_out_may_lie_inside_the_pictures(site: Site) -> None:
    site.out = site.folder / "data"
    assert site.answer("via", via()) == ""


@pytest.fixture
def large_import(site: Site) -> tuple[Site, Path]:
    """An import that takes long enough to be ended in the middle, by two processes."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8))
    image.save(site.folder / "000.jpg", quality=60)
    data, entries = (site.folder / "000.jpg").read_bytes(), {}
    for number in range(300):
        (site.folder / f"{number:03d}.jpg").write_bytes(data)
        entries[str(number)] = json.loads(via(f"{number:03d}.jpg"))["k"]
    file = site.folder / "x.json"
    file.write_text(json.dumps(entries))
    return site, file


def test_ctrl_c_in_the_middle_leaves_nothing_behind(large_import: tuple[Site, Path]) -> None:
    site, file = large_import
    arguments = command("via", file, "--out", site.out)
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        images = site.out.with_name(f".{site.out.name}.part") / "images"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (images.is_dir() and any(images.iterdir())):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "interrupted\n")
    assert [path.name for path in site.folder.parent.iterdir()] == ["in"]


def test_a_long_value_makes_one_short_line(site: Site) -> None:
    file = site.folder / "x.json"
    file.write_text(via(label="[red]" + "x" * 10**6))
    found = subprocess.run(command("auto", file, "--out", site.out), capture_output=True, text=True, check=False)
    error = found.stderr.splitlines()[-1]
    assert found.returncode == 1
    assert error.startswith("edge-seg: ")
    assert len(error) < LONGEST_SENTENCE + len(str(file))


# Wording ---------------------------------------------------------------------------------------------


@given(documents)
def test_anything_is_shown_on_one_short_line(value: Any) -> None:
    assert shown(value).isprintable()
    assert len(shown(value)) < 800


def test_what_is_shown() -> None:
    assert shown("plain") == "plain"
    assert shown("a\nb\ud800") == r"a\nb\ud800"
    assert shown("x" * 100, 10) == "x" * 9 + "…"
    assert shown(10**5000) == "a number of thousands of digits"
    assert listed([str(number) for number in range(14)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"
