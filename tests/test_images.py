"""Decoding and encoding of images and masks."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_seg.errors import ImageError
from edge_seg.images import mask_mode, read_image, read_mask, write_image, write_mask


def save(path: Path, image: Image.Image, **options) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("image", "suffix", "expected"),
    [
        (Image.new("RGB", (3, 2), (10, 20, 30)), ".png", (10, 20, 30)),
        (Image.new("L", (3, 2), 77), ".png", (77, 77, 77)),
        (Image.new("1", (3, 2), 1), ".png", (255, 255, 255)),
        (Image.new("LA", (3, 2), (200, 0)), ".png", (0, 0, 0)),
        (Image.new("RGBA", (3, 2), (200, 100, 50, 255)), ".png", (200, 100, 50)),
        (Image.new("RGBA", (3, 2), (200, 100, 50, 0)), ".png", (0, 0, 0)),
        (Image.new("I;16", (3, 2), 0x8000), ".png", (128, 128, 128)),
        (Image.new("RGB", (3, 2), (10, 20, 30)).quantize(4), ".png", (10, 20, 30)),
        (Image.new("RGB", (3, 2), (0, 0, 0)), ".gif", (0, 0, 0)),
        (Image.new("RGB", (3, 2), (255, 255, 255)), ".webp", (255, 255, 255)),
        (Image.new("CMYK", (3, 2), (0, 0, 0, 0)), ".jpg", (255, 255, 255)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path: Path, image: Image.Image, suffix: str, expected) -> None:
    decoded = read_image(save(tmp_path / f"x{suffix}", image))
    assert (decoded.shape, decoded.dtype) == ((2, 3, 3), np.uint8)
    assert np.abs(decoded[0, 0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.new("RGB", (32, 16), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 16, 8))  # the stored upper left quarter
    path = save(tmp_path / "x.jpg", picture, exif=exif, quality=95)
    decoded = read_image(path)
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}
    assert decoded.shape[:2] == ((16, 32) if orientation < 5 else (32, 16))
    assert decoded[corner[orientation]].min() > 200
    assert (decoded > 128).mean() == pytest.approx(0.25, abs=0.02)


def test_the_content_tells_the_format(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2), (0, 0, 255)).save(tmp_path / "x.gif")
    (tmp_path / "x.gif").rename(tmp_path / "x.jpg")
    assert read_image(tmp_path / "x.jpg")[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no such image"),
        (b"", "it is empty"),
        (b"<html></html>", "not an image that can be decoded"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "x.png"),
    ],
)
def test_what_is_no_image_is_a_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "x.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=sentence):
        read_image(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_truncated_images_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    write_image(path, np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ImageError, match="cannot be decoded"):
        read_image(path)


@pytest.mark.parametrize("colour_count", [0, 1, 2, 3, 5, 17, 255])
def test_masks_come_back_with_every_id(tmp_path: Path, colour_count: int) -> None:
    """The ignore id too, which a short palette once cut to fewer bits."""
    mask = np.array([[0, 1, 2], [3, 254, 255]], np.uint8)
    write_mask(tmp_path / "m.png", mask, [(number, 0, 0) for number in range(colour_count)] or None)
    assert np.array_equal(read_mask(tmp_path / "m.png"), mask)


def test_one_bit_masks_hold_0_and_1(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", Image.fromarray(np.array([[True, False]])))
    assert read_mask(path).tolist() == [[1, 0]]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "I;16"])
def test_masks_of_more_than_a_byte_are_refused(tmp_path: Path, mode: str) -> None:
    with pytest.raises(ImageError, match=f"mode {mode}.*grey or palette"):
        read_mask(save(tmp_path / "m.png", Image.new(mode, (2, 2))))


@pytest.mark.parametrize(("name", "suffix"), [("new/x.nonsense", r"\.nonsense"), ("x", "")])
def test_an_unknown_suffix_leaves_no_file(tmp_path: Path, name: str, suffix: str) -> None:
    with pytest.raises(ImageError, match=f"suffix '{suffix}' names no image format"):
        write_image(tmp_path / name, np.zeros((2, 2, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "fits"),
    [("x.png", {}, False), ("x.jpg", {}, True), ("x.jpg", {"progressive": True}, False)],
)
def test_pictures_beyond_memory_are_refused_by_their_header(tmp_path, name: str, options: dict, *, fits: bool) -> None:
    Image.new("L", (5200, 5100)).save(tmp_path / name, **options)
    if fits:
        assert mask_mode(tmp_path / name) == "L"
    else:
        with pytest.raises(ImageError, match="5200×5100, more than the 26 megapixels that are read"):
            mask_mode(tmp_path / name)


def test_a_postscript_file_is_never_run(tmp_path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\nshowpage\n")
    with pytest.raises(ImageError, match="not an image that can be decoded"):
        read_image(tmp_path / "x.jpg")


@pytest.mark.timeout(10)
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="is a pipe"):
        read_image(tmp_path / "pipe.png")
