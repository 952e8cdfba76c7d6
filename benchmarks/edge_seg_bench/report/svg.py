"""Charts for a page and for a file: one drawing, whose SVG takes its colours from the page, by day and by night."""

import io
import re
from collections.abc import Sequence
from html import escape
from typing import Any

INK, SOFT, LINE, PAPER = "#22303c", "#64748b", "#dbe3ea", "#fbfcfd"
"""Those of base.html by day; in a page, its variables stand in their place."""

# Okabe & Ito (2008), distinguishable with every kind of colour blindness; without black and yellow, which would be
# lost on paper of one of the two colours.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
PRECISION_COLOURS = {
    "float32": "#0072B2",
    "float16": "#56B4E9",
    "dynamic": "#E69F00",
    "int8": "#009E73",
    "unknown": "#7F7F7F",
}
_VARIABLES = {INK: "var(--ink)", SOFT: "var(--soft)", LINE: "var(--line)", PAPER: "var(--paper)"}
_LONGEST_NAME = 30
_PNG_DPI = 150


def precision_colour(precision: str) -> str:
    """Return the colour of a precision."""
    return PRECISION_COLOURS.get(precision, PRECISION_COLOURS["unknown"])


def on_colour(colour: str) -> str:
    """Return black or white, whichever is read better on a colour (luma of ITU-R BT.601)."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 105 else "#ffffff"


def new_figure(width_inches: float, height_inches: float) -> Any:
    """Return an empty matplotlib figure whose parts make room for each other."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(width_inches, height_inches), layout="constrained", facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: Any, label: str, *, grid: str = "x") -> None:
    """Give axes the page's colours, a grid of lines across `grid`, and the name of what they show."""
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    axes.grid(axis=grid, color=LINE, linewidth=0.8)
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=INK, labelsize=9, length=0)
    axes.set_xlabel(label, fontsize=9, color=SOFT)


def mark_1_2_5(axis: Any) -> None:
    """Mark a logarithmic axis at 1, 2, 5, 10 and so on."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_locator(NullLocator())


def legend_below(axes: Any, handles: Sequence[Any], columns: int) -> None:
    """Explain colours and marks under the axes."""
    axes.figure.legend(
        handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9, labelcolor=INK
    )


def write_beside(axes: Any, text: str, x: float, y: float, **style: Any) -> None:
    """Write text to the right of a place in data units."""
    known = {"xytext": (5, 0), "fontsize": 8.5, "color": INK, "annotation_clip": False, **style}
    axes.annotate(text, (x, y), textcoords="offset points", va="center", **known)


def shortened(name: str) -> str:
    """Return a name that fits beside a chart: a long one without its middle, a dollar no sign of mathematics."""
    half = _LONGEST_NAME // 2
    short = name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[1 - half :]}"
    return short.replace("$", r"\$")


def png(figure: Any) -> bytes:
    """Return a figure as PNG."""
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=_PNG_DPI)
    return written.getvalue()


def inline_svg(figure: Any, name: str, description: str) -> str:
    """Return a figure as an <svg> element.

    Args:
        figure: of new_figure.
        name: goes before every id, so that the pictures of one page do not take each other's parts.
        description: what a reader who does not see it is told.
    """
    from matplotlib import rc_context  # pyright: ignore[reportUnknownVariableType] - matplotlib types are partial

    written = io.BytesIO()
    with rc_context({"svg.hashsalt": name}):  # the same results give the same page
        figure.savefig(written, format="svg", metadata={"Date": None}, transparent=True, dpi=_PNG_DPI)
    svg = written.getvalue().decode()
    svg = re.sub(r"<metadata>.*?</metadata>|\sxmlns(:xlink)?=\"[^\"]*\"", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(?<=id=")|(?<=href="#)|(?<=url\(#)', f"{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1)
