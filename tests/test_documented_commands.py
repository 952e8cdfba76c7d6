"""Every command that the documentation shows is one that the program takes, with these options and values."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from documented_shell import shell_commands, simple_commands
from edge_seg.cli.app import build_app

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "train/recipes/README.md",
    *sorted((ROOT / "edge/edge_seg/models").glob("*.md")),
]
PROGRAM = re.compile(r"(.*/)?edge-seg")
PLACEHOLDER = re.compile(r"[A-Z]+|…")


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it; inside a sentence it may lack what it needs to run."""

    page: str
    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def all_shown() -> Iterator[Shown]:
    for path in PAGES:
        text, page = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        yield from (Shown(page, words, whole=True) for words in shell_commands(text))
        for span in re.findall(r"(?<!`)`((?:edge-seg|python -m edge_seg|make) [^`]*)`", text):
            yield from (Shown(page, words, whole=False) for words in simple_commands(span))


SHOWN = list(all_shown())
OURS = [shown for shown in SHOWN if PROGRAM.fullmatch(shown.words[0])]
MODULES = [shown for shown in SHOWN if re.match(r"(\S+/)?python3? -m edge_seg", " ".join(shown.words))]
TARGETS = [shown for shown in SHOWN if shown.words[0] == "make"]


def check(command: Any, name: str, words: Sequence[str], *, whole: bool, parent: Any = None) -> None:
    """Parse the words as the program would, without running anything."""
    context = command.make_context(name, [], parent, resilient_parsing=True)
    rest = words_after_a_group(command, context, words) if hasattr(command, "commands") else ()
    if rest:
        assert rest[0] in command.commands or PLACEHOLDER.fullmatch(rest[0]), f"no such command: {name} {rest[0]}"
        if rest[0] in command.commands:
            check(command.commands[rest[0]], rest[0], rest[1:], whole=whole, parent=context)
    elif whole:
        command.make_context(name, list(words), parent)
    else:
        command.make_parser(context).parse_args(list(words))


def words_after_a_group(group: Any, context: Any, words: Sequence[str]) -> list[str]:
    """Give the name of the command and what follows, which groups other than click's own may have put there."""
    group.parse_args(context, list(words))
    return [*context._protected_args, *context.args]


def parse(words: Sequence[str], *, whole: bool) -> None:
    called = next((word for word in words if not word.startswith("-")), None)
    check(typer.main.get_command(build_app(called)), "edge-seg", words, whole=whole)


def test_pages_show_commands() -> None:
    assert len(OURS) > 80
    assert len(MODULES) > 5
    assert len(TARGETS) > 1


@pytest.mark.parametrize("shown", OURS, ids=str)
def test_the_program_takes_what_is_shown(shown: Shown) -> None:
    words = shown.words[1:]
    parse(words, whole=shown.whole)
    if words[:2] == ("service", "install") and "--" in words:
        parse(("camera", *words[words.index("--") + 1 :]), whole=True)


@pytest.mark.parametrize("shown", MODULES, ids=str)
def test_a_module_that_is_run_is_there(shown: Shown) -> None:
    assert find_spec(shown.words[2]) is not None


@pytest.mark.parametrize("shown", TARGETS, ids=str)
def test_a_target_that_is_made_is_there(shown: Shown) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in (word for word in shown.words[1:] if "=" not in word):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("edge-seg doctor  # why", [("edge-seg", "doctor")]),
        ("sudo edge-seg doctor && make test", [("edge-seg", "doctor"), ("make", "test")]),
        (
            "for x in a b; do edge-seg run $x; done",
            [("for", "x", "in", "a", "b"), ("edge-seg", "run", "$x"), ("done",)],
        ),
        ("edge-seg run a --map '#ff0000=fire'", [("edge-seg", "run", "a", "--map", "#ff0000=fire")]),
    ],
)
def test_a_line_is_read_as_a_shell_does(line: str, commands: list[tuple[str, ...]]) -> None:
    assert list(simple_commands(line)) == commands


@pytest.mark.parametrize(
    "line",
    [
        "edge-seg trian --data x",
        "edge-seg data exprot via x",
        "edge-seg train --data x --epoch 3",
        "edge-seg train --data x --epochs many",
        "edge-seg train --data x --decoder bilinear",
        "edge-seg run",
    ],
)
def test_what_the_program_does_not_take_is_noticed(line: str) -> None:
    with pytest.raises(Exception, match=r"(?i)no such|missing|is not|valid"):
        parse(line.split()[1:], whole=True)
