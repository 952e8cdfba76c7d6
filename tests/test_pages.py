"""The frame of HTML pages, and pictures inside them."""

import base64
import io
from pathlib import Path

import jinja2
import numpy as np
import pytest
from PIL import Image

from edge_seg.pages import embedded, embedded_file, render, shrunk

RED = np.full((30, 60, 3), (200, 0, 0), np.uint8)


def test_an_embedded_picture_is_a_jpeg_of_it() -> None:
    head, content = embedded(RED).split(",")
    assert head == "data:image/jpeg;base64"
    decoded = Image.open(io.BytesIO(base64.b64decode(content)))
    assert (decoded.format, decoded.size) == ("JPEG", (60, 30))
    assert np.abs(np.asarray(decoded).astype(int) - RED).max() < 8


@pytest.mark.parametrize(
    ("widest", "shape"), [(None, (30, 60, 3)), (60, (30, 60, 3)), (99, (30, 60, 3)), (20, (10, 20, 3)), (1, (1, 1, 3))]
)
def test_shrinking_keeps_the_aspect_and_never_enlarges(widest: int | None, shape: tuple[int, ...]) -> None:
    assert shrunk(RED, widest).shape == shape


def test_a_file_is_embedded_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"any bytes")
    assert embedded_file(tmp_path / "x.png") == "data:image/png;base64," + base64.b64encode(b"any bytes").decode()


def test_the_frame_needs_no_other_file() -> None:
    page = render("base.html")
    assert page.startswith("<!doctype html>")
    assert "http" not in page


def test_a_forgotten_value_is_an_error_and_not_a_gap() -> None:
    values = {"manifest": {"name": "<i>"}, "figures": [], "legend": [], "columns": 3, "typical_aspect": 1.0}
    assert "<h1>&lt;i&gt;</h1>" in render("preview.html", opacity=0.5, **values)
    with pytest.raises(jinja2.UndefinedError, match="opacity"):
        render("preview.html", **values)
