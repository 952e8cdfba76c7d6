"""HTML pages that stand alone: one frame (`templates/base.html`), every picture inside the file.

A template extends `base.html` and fills its blocks `title` and `content` (`style` for rules of its
own, `width` with the word "wide" for pages of pictures). The frame styles headings, `table` with
`td.n` for numbers, `.grid` of figures, `.swatch` of a class colour, `.lead`, `.soft`, `.error`
and `.warning`, in light and in dark.
"""

import base64
import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from edge_seg.extras import require_module
from edge_seg.images import RgbImage
from edge_seg.resampling import shrink_image

if TYPE_CHECKING:
    from jinja2 import Environment

_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".svg": "image/svg+xml"}
_JPEG_QUALITY = 85


def render(template: str, *, package: str = "edge_seg", **values: Any) -> str:
    """Fill a template of `package`, which may extend those of this one; every value is escaped.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    require_module("jinja2", extra="data", purpose="an HTML page")
    return _environment(package).get_template(template).render(values)


def embedded(image: RgbImage, *, widest: int | None = None) -> str:
    """Return an RGB image, uint8 [h, w, 3], as a JPEG data URI, shrunk to `widest` pixels where it is wider."""
    encoded = io.BytesIO()
    Image.fromarray(shrunk(image, widest)).save(encoded, "JPEG", quality=_JPEG_QUALITY)
    return data_uri(encoded.getvalue(), ".jpg")


def embedded_file(path: Path) -> str:
    """Return a PNG, JPEG or SVG file, byte for byte, as a data URI."""
    return data_uri(path.read_bytes(), path.suffix)


def data_uri(content: bytes, suffix: str) -> str:
    """Return an encoded picture as a data URI; `suffix` is .png, .jpg or .svg."""
    return f"data:{_MEDIA_TYPES[suffix]};base64,{base64.b64encode(content).decode()}"


def shrunk(image: RgbImage, widest: int | None) -> RgbImage:
    """Return the image no wider than `widest` pixels, its aspect ratio kept."""
    height, width = image.shape[:2]
    if widest is None or width <= widest:
        return image
    return shrink_image(image, max(1, round(height * widest / width)), widest)


@cache
def _environment(package: str) -> "Environment":
    import jinja2

    loader = jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in dict.fromkeys((package, "edge_seg"))])
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
