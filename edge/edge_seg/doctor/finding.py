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
    cure: str
    """The command to type, or what to change where no command helps."""


def warning(what: str, cure: str) -> Finding:
    """Make a finding of level WARNING."""
    return Finding(Level.WARNING, what, cure)


def problem(what: str, cure: str) -> Finding:
    """Make a finding of level PROBLEM."""
    return Finding(Level.PROBLEM, what, cure)
