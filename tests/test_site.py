"""The documentation site: it builds without a warning, needs no network, and fits a telephone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import edge_seg
from edge_seg import dataset, errors, sinks, sources

pytest.importorskip("material", reason="needs edge-seg[docs]")

ROOT = Path(__file__).parents[1]
CHROMIUM = Path("/usr/bin/chromium")
NARROW_PHONE = {"width": 360, "height": 740}


@dataclass
class Page(HTMLParser):
    """What a page points to, what it loads, and the names that can be pointed to."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value for name, value in attrs if value}
        self.ids |= {found["id"]} if "id" in found else set()
        if tag == "a":
            self.links += [found["href"]] if "href" in found else []
        elif tag != "link" or found.get("rel") != "canonical":
            self.loaded += [found[name] for name in ("src", "href") if name in found]


@dataclass(frozen=True)
class Site:
    folder: Path
    pages: dict[Path, Page]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    build = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stderr
    pages: dict[Path, Page] = {}
    for path in folder.rglob("*.html"):
        pages[path] = Page()
        pages[path].feed(path.read_text(encoding="utf-8"))
    return Site(folder, pages)


def test_readme_recipes_cards_and_results_are_pages(site: Site) -> None:
    shown = {path.relative_to(site.folder).as_posix() for path in site.pages}
    assert shown >= {
        "index.html",
        "docs/lab.html",
        "docs/lab.ru.html",
        "edge/edge_seg/models/pets.html",
        "train/recipes/index.html",
        "benchmarks/results/conversion.html",
    }


def test_nothing_is_loaded_from_elsewhere(site: Site) -> None:
    assert {address for page in site.pages.values() for address in page.loaded if urlsplit(address).netloc} == set()


def test_every_link_leads_somewhere(site: Site) -> None:
    without_404 = {path: page for path, page in site.pages.items() if path.name != "404.html"}  # its links are absolute
    for path, page in without_404.items():
        for address in {*page.links, *page.loaded}:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path}: {address}"
            if parts.fragment and target in site.pages:
                assert unquote(parts.fragment) in site.pages[target].ids, f"{path}: {address}"


def test_the_whole_public_api_is_described(site: Site) -> None:
    raised = [name for name, item in vars(errors).items() if isinstance(item, type)]
    public = {*edge_seg.__all__, *raised, *dataset.__all__, *sources.__all__, *sinks.__all__}
    described = {name.rpartition(".")[2] for page in site.pages.values() for name in page.ids if "edge_seg" in name}
    assert {name for name in public if not name.isupper()} - described == set()


@pytest.fixture(scope="module")
def phone() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is absent (apt install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser.new_page(viewport=NARROW_PHONE, color_scheme="dark")
        browser.close()


def test_no_page_is_wider_than_a_telephone(site: Site, phone: Any) -> None:
    for path in site.pages:
        phone.goto(path.as_uri())
        assert phone.evaluate("document.documentElement.scrollWidth") <= NARROW_PHONE["width"], path
