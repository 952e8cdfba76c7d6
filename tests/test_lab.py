"""The lab: one exercise in two languages, with figures that were recorded."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from documented_shell import shell_commands

ROOT = Path(__file__).parents[1]
ENGLISH, RUSSIAN = (
    (ROOT / "docs" / name).read_text(encoding="utf-8").replace("\n> ", "\n") for name in ("lab.md", "lab.ru.md")
)
RECORDED: dict[str, Any] = json.loads((ROOT / "benchmarks/results/lab.json").read_text(encoding="utf-8"))
BOTH = pytest.mark.parametrize("page", [ENGLISH, RUSSIAN], ids=["en", "ru"])


def test_both_languages_show_the_same_commands() -> None:
    commands = list(shell_commands(ENGLISH))
    assert len(commands) > 15
    assert list(shell_commands(RUSSIAN)) == commands


@pytest.mark.parametrize(
    "pattern",
    [
        r"^#+(?= )",
        r"!\[.*?\]\((.*?)\)",
        r"(?<!`)`((?:edge-seg|tensorboard|--|runs/)[^`]*)`",
        r"<!-- .* -->",
        r"\*\*(?:Task|Задание) (\d)",
    ],
    ids=["headings", "pictures", "options", "recorded tables", "tasks"],
)
def test_both_languages_have_the_same_parts(pattern: str) -> None:
    found = re.findall(pattern, ENGLISH, re.MULTILINE)
    assert found
    assert sorted(re.findall(pattern, RUSSIAN, re.MULTILINE)) == sorted(found)


def rows(page: str, table: str) -> list[list[str]]:
    shown = re.search(rf"<!-- {table} -->\n(.*?)<!-- /{table} -->", page, re.DOTALL)
    assert shown is not None
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in shown[1].splitlines()[2:]]


def figures(run: dict[str, Any]) -> list[str]:
    return [f"{run['best_miou']:.3f}", *(f"{value:.3f}" for value in run["iou"].values())]


@BOTH
def test_the_table_of_variants_is_the_recorded_one(page: str) -> None:
    table = [[name, re.sub(r"\D", "", count), *values] for name, _, count, *values in rows(page, "variants")]
    assert table == [[run["name"], str(run["trained_parameters"]), *figures(run)] for run in RECORDED["variants"]]


@BOTH
def test_the_table_of_beginnings_is_the_recorded_one(page: str) -> None:
    base, tuned = (next(run for run in RECORDED["variants"] if run["name"] == name) for name in ("base", "fine-tuned"))
    shown = [values for _, *values in rows(page, "transfer")]
    assert shown == [figures(run) for run in (base, tuned, RECORDED["from_nothing"])]
