"""The result as Markdown."""

from edge_seg_bench.collecting.measures import CHOSEN
from edge_seg_bench.collecting.measuring import BARS
from edge_seg_bench.collecting.result import CollectingReport, Correlation, MeasureResult, ModelResult
from edge_seg_bench.rendering import markdown_table


def markdown(report: CollectingReport) -> str:
    """Return collecting.md."""
    share = f"{report.picked_share:.0%}"
    lines = [
        "# Is a model unsure where it is wrong?",
        "",
        f"Pictures with truth, none of them trained on. Picked are the {share} the model is least sure of by each way "
        "to sum up a picture; a random pick has the figures of all pictures. Correlations are Spearman's, of pictures, "
        "with 95 % bootstrap intervals.",
        "",
        *_measures_table(report, share),
        "",
        "## A fixed bar or a share?",
        "",
        f"What part of the pictures `{CHOSEN}` would keep at a fixed bar, and what part the least sure twentieth "
        "of the pictures seen so far is, which is what `--collect` takes.",
        "",
        *_bars_table(report),
    ]
    return "\n".join(lines) + "\n"


def _measures_table(report: CollectingReport, share: str) -> list[str]:
    titles = [
        "model, pictures",
        "unsureness",
        "with 1 − mIoU",
        "with wrong pixels",
        "mIoU of all",
        f"of the {share}",
        "wrong pixels of all",
        f"of the {share}",
    ]
    rows = [_measure_cells(model, measure) for model in report.models for measure in model.measures]
    return markdown_table(titles, rows)


def _measure_cells(model: ModelResult, measure: MeasureResult) -> list[str]:
    name = f"**{measure.name}**" if measure.name == CHOSEN else measure.name
    return [
        f"{model.model}, {len(model.pictures)}",
        name,
        _words(measure.with_miou),
        _words(measure.with_error),
        f"{model.miou:.3f}",
        f"{measure.picked_miou:.3f}",
        f"{model.error:.1%}",
        f"{measure.picked_error:.1%}",
    ]


def _bars_table(report: CollectingReport) -> list[str]:
    titles = ["model", *(f"≥ {bar:g}" for bar in BARS), "least sure 5 % so far"]
    rows = [
        [model.model, *(f"{share:.0%}" for share in model.kept_by_bar.values()), f"{model.kept_by_share:.0%}"]
        for model in report.models
    ]
    return markdown_table(titles, rows, left=1)


def _words(correlation: Correlation) -> str:
    return f"{correlation.rho:.2f} [{correlation.low:.2f}, {correlation.high:.2f}]"
