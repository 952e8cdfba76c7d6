"""A hook of MkDocs: the site has the repository's own folders, so that a link in a file is right in both places."""

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
SHOWN = (
    "README.md",
    "docs/*.md",
    "docs/reference/*.md",
    "docs/models/*.md",
    "docs/images/**/*",
    "docs/site/*.css",
    "edge/edge_seg/models/*.md",
    "train/cluster/*",
    "train/recipes/*",
    "train/recipes/results/**/*",
    "benchmarks/results/**/*",
    "examples/*.ipynb",
)
"""Pages, and the files that they link to."""


def on_config(config: MkDocsConfig) -> None:
    """Put files in the place of patterns."""
    config.nav = _expanded(config.nav)


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Replace what MkDocs found in docs/ by what is shown, each under its name in the repository."""
    for file in list(files):
        if file.src_dir == config.docs_dir:
            files.remove(file)
    for path in _matching(*SHOWN):
        files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Leave the words of a link to a folder: a repository shows folders, a site does not."""
    here = (ROOT / page.file.src_uri).parent

    def unlinked(link: re.Match[str]) -> str:
        return link[1] if (here / link[2]).is_dir() else link[0]

    return re.sub(r"\[([^\]]*)\]\(([^)#:\s]+)\)", unlinked, markdown)


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Tell screen readers and browsers which pages are not in English."""
    return f'<div lang="ru">{html}</div>' if page.file.src_uri.endswith(".ru.md") else html


def _matching(*patterns: str) -> list[str]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def _expanded(item: Any) -> Any:
    if isinstance(item, dict):
        return {title: _expanded(below) for title, below in item.items()}
    if isinstance(item, list):
        parts = [_matching(part) if isinstance(part, str) and "*" in part else [_expanded(part)] for part in item]
        return [part for several in parts for part in several]
    return item
