"""What the doctor says: how bad, what, and what cures it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    WARNING = "warning"
    """The camera runs, but slower, with wrong time stamps, or not for long."""
    PROBLEM = "problem"
    """The camera does not run, or runs on power or storage that fails under it."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    level: Level
    what: str
    """One sentence, with the value that was seen."""
    command: str = ""
    """The command that cures it, or looks closer."""
    advice: str = ""
    """What to do where no command helps, or beside it."""


def warning(what: str, command: str = "", advice: str = "") -> Finding:
    """Make a finding of level WARNING."""
    return Finding(Level.WARNING, what, command, advice)


def problem(what: str, command: str = "", advice: str = "") -> Finding:
    """Make a finding of level PROBLEM."""
    return Finding(Level.PROBLEM, what, command, advice)
