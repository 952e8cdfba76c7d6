"""A card's text: words between blocks of figures, which stand between markers."""

import re
from collections.abc import Mapping, Sequence

from edge_seg.errors import BenchmarkError

_BLOCK = re.compile(r"<!-- figures: (?P<name>\w+) -->\n.*?<!-- /figures -->", re.DOTALL)
_CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def block_names(text: str) -> Sequence[str]:
    """Return the names of a card's blocks, in order."""
    return [match["name"] for match in _BLOCK.finditer(text)]


def fill(text: str, blocks: Mapping[str, Sequence[str]]) -> str:
    """Return the card with the lines of every block in its place.

    Args:
        text: the card, Markdown.
        blocks: lines by the block's name.

    Raises:
        BenchmarkError: the card names a block that there is not.
    """
    for name in block_names(text):
        if name not in blocks:
            raise BenchmarkError(f"no block of figures is called '{name}'; those that there are: {', '.join(blocks)}")
    return _BLOCK.sub(lambda match: _rendered(match["name"], blocks[match["name"]]), text)


def words_of(text: str) -> str:
    """Return what people wrote: the card without blocks and code."""
    return _CODE.sub("", _BLOCK.sub("", text))


def _rendered(name: str, lines: Sequence[str]) -> str:
    return "\n".join((f"<!-- figures: {name} -->", *lines, "<!-- /figures -->"))
