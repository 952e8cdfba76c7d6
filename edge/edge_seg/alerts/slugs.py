"""Names that are safe as a part of a topic, a file name or an identifier."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence


def slug(text: str) -> str:
    """Return `text` in a-z, 0-9 and underscores; a name that has none of these becomes a hash."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "_", ascii_text.lower()).strip("_")
    return plain or hashlib.sha256(text.encode()).hexdigest()[:8]


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
