"""Names that are safe as a part of a topic, a file name or an identifier."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

_LONGEST = 200
"""MQTT takes topics of 65,535 bytes, and file systems names of 255."""


def slug(text: str) -> str:
    """Return `text` in a-z, 0-9 and underscores, at most 200; a name that has none of these becomes a hash."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "_", ascii_text.lower()).strip("_")
    if 0 < len(plain) <= _LONGEST:
        return plain
    short = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST - 9]}_{short}" if plain else short


def slugs(texts: Sequence[str]) -> dict[str, str]:
    """Return a slug for each of several different texts, no two alike."""
    given: dict[str, str] = {}
    for text in texts:
        plain, count = slug(text), 2
        candidate = plain
        while candidate in given.values():
            candidate, count = f"{plain}_{count}", count + 1
        given[text] = candidate
    return given
