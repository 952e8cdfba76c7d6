"""The paper that curves are drawn on: light, or dark as pages are at night."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Paper:
    """Colours of a figure but for its curves; they are those of base.html."""

    background: str
    ink: str
    soft: str
    line: str


LIGHT = Paper("#fbfcfd", "#22303c", "#64748b", "#dbe3ea")
DARK = Paper("#151b21", "#dde5ec", "#93a2b2", "#33414d")


def lay_on(axes: Any, paper: Paper) -> None:
    """Give axes of a figure the colours of `paper`, a grid, and no frame."""
    axes.set_facecolor(paper.background)
    axes.grid(color=paper.line, lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(paper.soft)
    axes.tick_params(colors=paper.soft)
    axes.xaxis.label.set_color(paper.soft)
    axes.yaxis.get_offset_text().set_color(paper.soft)
    axes.title.set_color(paper.ink)
