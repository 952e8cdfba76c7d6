"""collecting.png: how unsure a model was of every picture, and how good its answer was."""

from pathlib import Path
from typing import Any

from edge_seg.files import atomic_path
from edge_seg_bench.collecting.measures import CHOSEN
from edge_seg_bench.collecting.result import CollectingReport, ModelResult

_COLUMNS = 3
_OTHER, _PICKED = "#56B4E9", "#D55E00"  # Okabe & Ito (2008)


def plot(path: Path, report: CollectingReport) -> None:
    """Write one panel of dots for each model, the picked pictures in another colour."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(report.models))
    rows = -(-len(report.models) // columns)
    figure: Any = Figure(figsize=(3.4 * columns, 3.0 * rows + 0.5), layout="constrained")
    FigureCanvasAgg(figure)
    for number, model in enumerate(report.models, start=1):
        _panel(figure.add_subplot(rows, columns, number), model, report.picked_share)
    figure.supxlabel("unsureness of the picture (1 − margin, mean over classes)", fontsize=10)
    figure.supylabel("mIoU of the picture", fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130)


def _panel(axes: Any, model: ModelResult, picked_share: float) -> None:
    pictures = sorted(model.pictures, key=lambda row: -row.unsure[CHOSEN])
    count = max(1, round(picked_share * len(pictures)))
    parts = (
        (pictures[count:], _OTHER, "o", "others"),
        (pictures[:count], _PICKED, "^", f"least sure {picked_share:.0%}"),
    )
    for rows, colour, marker, label in parts:
        axes.scatter(
            [row.unsure[CHOSEN] for row in rows],
            [row.miou for row in rows],
            s=16,
            color=colour,
            marker=marker,
            alpha=0.75,
            linewidths=0,
            label=label,
        )
        if rows:
            axes.axhline(sum(row.miou for row in rows) / len(rows), color=colour, linewidth=1, linestyle="--", zorder=0)
    chosen = next(measure for measure in model.measures if measure.name == CHOSEN)
    axes.set_title(f"{model.model}   ρ = {chosen.with_miou.rho:.2f}", fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.legend(fontsize=8, frameon=False, loc="lower left")
