"""The figures of a data set as one HTML page."""

from pathlib import Path

from edge_seg.dataset import Manifest
from edge_seg.dataset.statistics import DatasetStatistics
from edge_seg.files import write_text
from edge_seg.pages import data_uri, render
from edge_seg.statistics_charts import class_svg, drawn_classes, overview_svg


def write_page(path: Path, statistics: DatasetStatistics, manifest: Manifest) -> None:
    """Write the tables and charts of a data set as a page that needs no other file."""
    charted = drawn_classes(statistics, manifest.classes)
    splits = statistics.splits
    page = render(
        "stats.html",
        manifest=manifest,
        splits=splits,
        groups={**splits, "all": statistics.whole} if len(splits) > 1 else splits,
        whole=statistics.whole,
        pictures=statistics.pictures,
        overview=data_uri(overview_svg(statistics, manifest.classes), ".svg"),
        charted=charted,
        charted_classes=[
            (item.name, data_uri(class_svg(statistics, item), ".svg")) for item in charted if not item.is_background
        ],
    )
    write_text(path, page)
