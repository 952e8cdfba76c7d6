"""What a class of a segmentation is: an id, a name and a colour."""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from edge_seg.errors import DatasetError

IGNORE_ID = 255
"""The mask value that neither trains nor scores."""

IGNORE_NAME = "ignore"
"""What annotations call regions of that value."""

# Okabe & Ito's palette, made to be told apart by colour-blind eyes (https://jfly.uni-koeln.de/color/).
PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
_BACKGROUND_NAMES = frozenset({"background", "bg", "unlabelled", "unlabeled", "other"})
_BACKGROUND_COLOUR = "#000000"


def _check_colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError(f"a colour is written #RRGGBB, not {value!r}")
    return value


class SegmentationClass(BaseModel):
    """One class: the mask value `id`, a name, and the colour it is drawn in as #RRGGBB."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[int, Field(ge=0, lt=IGNORE_ID)]
    name: Annotated[str, Field(min_length=1)]
    colour: Annotated[str, AfterValidator(_check_colour)]

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour as (red, green, blue), 0 to 255."""
        value = int(self.colour[1:], 16)
        return value >> 16, value >> 8 & 255, value & 255

    @property
    def is_background(self) -> bool:
        """True for a class that pictures leave undrawn."""
        return self.name.lower() in _BACKGROUND_NAMES


def make_classes(names: Sequence[str]) -> tuple[SegmentationClass, ...]:
    """Number `names` from 0 and give each a colour; backgrounds are black.

    Raises:
        DatasetError: a class without a name, two of one name, or more than 255.
    """
    if not all(names):
        raise DatasetError(f"every class needs a name, got {', '.join(map(repr, names))}")
    if len(set(names)) != len(names):
        raise DatasetError(f"class names must differ, got {', '.join(names)}")
    if len(names) > IGNORE_ID:
        raise DatasetError(f"a mask holds at most {IGNORE_ID} classes, got {len(names)}")
    colours = iter(PALETTE * (len(names) // len(PALETTE) + 1))
    return tuple(
        SegmentationClass(
            id=index,
            name=name,
            colour=_BACKGROUND_COLOUR if name.lower() in _BACKGROUND_NAMES else next(colours),
        )
        for index, name in enumerate(names)
    )
