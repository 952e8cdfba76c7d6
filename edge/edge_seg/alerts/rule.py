"""What an alert rule is. How it is written: see `edge_seg.alerts.grammar`."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from edge_seg.alerts.region import Region, plain_decimal
from edge_seg.errors import AlertError

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
LONGEST_S = 366 * 24 * 3600.0
"""The longest duration, a year."""

PLAIN_WORDS = re.compile(r"[^\s\"'<>=:(),%]+(?: [^\s\"'<>=:(),%]+)*")
_WORDS = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}
_NEVER_OR_ALWAYS = {(">", 1.0): "never", ("<", 0.0): "never", (">=", 0.0): "always", ("<=", 1.0): "always"}


@dataclass(frozen=True)
class Rule:
    """A condition on the share of one class, and how long it must hold.

    Shares are 0 to 1, of the whole picture or of the region.

    Raises:
        AlertError: the condition holds never or always, or can never be cleared.
    """

    class_name: str
    comparison: str
    """One of `COMPARISONS`."""
    threshold: float
    for_s: float = 0.0
    """The condition raises the alert once it has held for so long."""
    hysteresis: float = 0.0
    """The alert is cleared once the share is back beyond the threshold by so much."""
    cooldown_s: float = 0.0
    """Nothing is raised again for so long after the alert was cleared."""
    region: Region | None = None
    name: str = ""
    """Empty: named after the condition."""

    def __post_init__(self) -> None:
        when = _NEVER_OR_ALWAYS.get((self.comparison, self.threshold))
        if when:
            raise AlertError(f"alert '{self}' {when} holds, for shares lie between 0% and 100%; give another threshold")
        room = self.threshold if self._rises else round(1 - self.threshold, 12)
        if self.hysteresis > room:
            raise AlertError(
                f"alert '{self}' can never be cleared: a hysteresis of {percent(self.hysteresis)} leads out of "
                f"0% to 100%; give at most {percent(room)}"
            )

    @property
    def title(self) -> str:
        """The name, or the condition in words."""
        where = f" in {self.region.name or self.region}" if self.region else ""
        return self.name or f"{self.class_name} {_WORDS[self.comparison]} {percent(self.threshold)}{where}"

    def holds(self, share: float) -> bool:
        """Whether a share meets the condition."""
        return COMPARISONS[self.comparison](share, self.threshold)

    def is_over(self, share: float) -> bool:
        """Whether a share clears the alert: the condition fails, by at least the hysteresis."""
        back = self.threshold - self.hysteresis if self._rises else self.threshold + self.hysteresis
        return not COMPARISONS[self.comparison](share, min(max(back, 0.0), 1.0))

    @property
    def _rises(self) -> bool:
        return self.comparison in (">", ">=")

    def __str__(self) -> str:
        """Write the rule so that `parse_rule` gives an equal one."""
        parts = [f"{quoted(self.name)}:"] if self.name else []
        parts += [quoted(self.class_name), self.comparison, percent(self.threshold)]
        if self.for_s:
            parts.append(f"for {duration(self.for_s)}")
        if self.hysteresis:
            parts.append(f"hysteresis {percent(self.hysteresis)}")
        if self.cooldown_s:
            parts.append(f"cooldown {duration(self.cooldown_s)}")
        if self.region:
            parts.append(f"in {quoted(self.region.name) if self.region.name else self.region}")
        return " ".join(parts)


def check_rules(rules: Sequence[Rule], class_names: Sequence[str]) -> None:
    """Raise AlertError for a class that the model has not, and for two alerts of one name."""
    titles: set[str] = set()
    for rule in rules:
        if rule.class_name not in class_names:
            known = ", ".join(class_names)
            raise AlertError(f"alert '{rule}': the model has no class '{rule.class_name}'; its classes are {known}")
        if rule.title in titles:
            raise AlertError(
                f"two alerts go by the name '{rule.title}'; give one another name, as in  mine: {rule.class_name} > 2%"
            )
        titles.add(rule.title)


def percent(share: float) -> str:
    """Write a share in percent, so that reading it gives the same float."""
    return f"{plain_decimal(Decimal(repr(share)) * 100)}%"


def duration(seconds: float) -> str:
    """Write a duration in the largest unit that needs no fraction, so that reading it gives the same float."""
    exact = Decimal(repr(seconds))
    for unit, length in (("h", 3600), ("m", 60)):
        if exact >= length and exact % length == 0:
            return f"{plain_decimal(exact / length)}{unit}"
    return f"{plain_decimal(exact)}s"


def quoted(text: str) -> str:
    """Put a name in double quotes where it needs them."""
    if PLAIN_WORDS.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
