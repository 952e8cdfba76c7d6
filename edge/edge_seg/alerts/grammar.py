"""How alert rules are written, and reading them.

    rule       = [ name ":" ] class ( ">" | ">=" | "<" | "<=" ) share { option }
    option     = "for" duration          held so long before it is raised (default: at once)
               | "hysteresis" share      cleared only when back beyond the threshold by so much
               | "cooldown" duration     raised again no sooner than so long after it was cleared
               | "in" region             of the region's area, not the whole picture's
    share      = number "%"  |  number from 0 to 1
    duration   = number ( "ms" | "s" | "m" | "h" )
    region     = name of one given with --region  |  "(" x "," y { x "," y } ")", three points or more
    x, y       = number "%"  |  number from 0 to 1, of the picture's width and height
    name,class = words, or anything in quotes

Examples:
    fire > 2% for 3s
    fire > 2% for 3s hysteresis 0.5% cooldown 1m
    low water: water < 30% for 10m in pond
    "no entry": person > 0.01 in (0.5,0 1,0 1,1 0.5,1)
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from edge_seg.alerts.region import Region
from edge_seg.alerts.rule import COMPARISONS, LONGEST_S, Rule, duration
from edge_seg.errors import AlertError
from edge_seg.unicode_text import is_unicode

_TOKEN = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[<>]=?|[:(),]|[^\s"'<>=:(),]+|\S)""", re.DOTALL)
_NUMBER = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(.*)", re.ASCII | re.DOTALL)
_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_OPTIONS = {"for": "for_s", "hysteresis": "hysteresis", "cooldown": "cooldown_s", "in": "region"}
_RIGHT = "write it as in  fire > 2% for 3s"


def parse_rule(text: str, regions: Mapping[str, Region] | None = None) -> Rule:
    """Read one rule; see this module's docstring.

    Args:
        text: the rule.
        regions: those that "in NAME" may name.

    Raises:
        AlertError: not a rule; the sentence points at what was wrong.
    """
    _check_unicode("alert", text)
    tokens = _Tokens(text, f"alert '{_one_line(text)}'")
    head, comparison = tokens.until_comparison()
    name, class_name = _name_and_class(tokens, head)
    rule: dict[str, Any] = {"threshold": tokens.share(f"after '{comparison}'")}
    while not tokens.at_end:
        word = tokens.take()
        key = _OPTIONS.get(word)
        if key is None:
            raise tokens.wrong("for, hysteresis, cooldown or in is expected", word)
        if key in rule:
            raise tokens.wrong(f"'{word}' may stand once only", word)
        rule[key] = _option(tokens, word, regions or {})
    return Rule(class_name=class_name, comparison=comparison, name=name, **rule)


def parse_region(text: str) -> Region:
    """Read a named region, `NAME=x,y x,y x,y`.

    Raises:
        AlertError: not such a text.
    """
    _check_unicode("region", text)
    name, equals, points = text.partition("=")
    tokens = _Tokens(points, f"region '{_one_line(text)}'", "write it as in  pond=0.1,0.5 0.9,0.5 0.9,1 0.1,1")
    if not equals or not name.strip():
        raise tokens.wrong("it needs a name and '=' before its points")
    region = tokens.points(until=None)
    return replace(region, name=name.strip())


def parse_rules(texts: Sequence[str], regions: Sequence[str] = ()) -> tuple[Rule, ...]:
    """Read rules and the regions they name.

    Raises:
        AlertError: the first text that is none, or two regions of one name.
    """
    named: dict[str, Region] = {}
    for region in map(parse_region, regions):
        name = region.name or ""
        if name in named:
            raise AlertError(f"two regions go by the name '{name}'; give each another name")
        named[name] = region
    return tuple(parse_rule(text, named) for text in texts)


def _name_and_class(tokens: "_Tokens", head: list[str]) -> tuple[str, str]:
    if ":" in head:
        colon = head.index(":")
        return _words(tokens, head[:colon], "a name before ':'"), _words(tokens, head[colon + 1 :], "a class")
    return "", _words(tokens, head, "a class")


def _words(tokens: "_Tokens", words: list[str], what: str) -> str:
    if len(words) == 1 and _is_quoted(words[0]):
        name = re.sub(r"\\(.)", r"\1", words[0][1:-1], flags=re.DOTALL)
    elif any(_is_quoted(word) or word in set(",():=%\"'") for word in words):
        raise tokens.wrong(f"{what} is a few words, or anything in quotes", " ".join(words))
    else:
        name = " ".join(words)
    if not name.strip():
        raise tokens.wrong(f"{what} is missing")
    return name


def _option(tokens: "_Tokens", word: str, regions: Mapping[str, Region]) -> float | Region:
    if word == "hysteresis":
        return tokens.share("after 'hysteresis'")
    if word == "in":
        return tokens.region(regions)
    return tokens.duration(f"after '{word}'")


class _Tokens:
    """The words of one text, taken from the left."""

    def __init__(self, text: str, what: str, right: str = _RIGHT) -> None:
        self._tokens: list[str] = _TOKEN.findall(text)
        self._what, self._right = what, right

    @property
    def at_end(self) -> bool:
        return not self._tokens

    def take(self) -> str:
        return self._tokens.pop(0) if self._tokens else ""

    def wrong(self, expected: str, seen: str | None = None) -> AlertError:
        found = "" if seen is None else f", not '{_one_line(seen)}'" if seen else ", but it ends there"
        return AlertError(f"{self._what}: {expected}{found}; {self._right}")

    def until_comparison(self) -> tuple[list[str], str]:
        head: list[str] = []
        while self._tokens:
            token = self.take()
            if token in COMPARISONS:
                return head, token
            head.append(token)
        raise self.wrong("a comparison is missing, > >= < or <=")

    def share(self, where: str) -> float:
        number, unit = self._number(f"{where} a share such as 2% or 0.02 is expected", ("%",))
        value = number / 100 if unit else number
        if value > 1:
            raise self.wrong(f"{where} a share is at most 100% or 1", f"{number}{unit}")
        return float(value)

    def duration(self, where: str) -> float:
        expected = f"{where} a duration such as 500ms, 3s, 5m or 1h is expected"
        number, unit = self._number(expected, tuple(_SECONDS))
        if not unit:
            raise self.wrong(expected, str(number))
        seconds = number * _SECONDS[unit]
        if seconds > LONGEST_S:
            raise self.wrong(f"{where} a duration is at most {duration(LONGEST_S)}", f"{number}{unit}")
        return float(seconds)

    def region(self, regions: Mapping[str, Region]) -> Region:
        token = self.take()
        if token == "(":
            return self.points(until=")")
        name = _words(self, [token], "a region")
        if name not in regions:
            known = f"those given are {', '.join(regions)}" if regions else "none is given"
            raise self.wrong(f"no region '{_one_line(name)}': {known}; give it as  --region NAME=x,y x,y x,y")
        return regions[name]

    def points(self, until: str | None) -> Region:
        found: list[tuple[float, float]] = []
        while self._tokens and self._tokens[0] != until:
            x = self.share("as x")
            comma = self.take()
            if comma != ",":
                raise self.wrong("a ',' is expected between x and y", comma)
            found.append((x, self.share("as y")))
        if until and self.take() != until:
            raise self.wrong(f"a '{until}' is expected after the region's points", "")
        if len(found) < 3:
            raise self.wrong(f"a region has three points or more, this one {len(found)}")
        return Region(tuple(found))

    def _number(self, expected: str, units: tuple[str, ...]) -> tuple[Decimal, str]:
        """Take a number with its unit, which may be a word of its own; the unit is empty where none is."""
        token = self.take()
        match = _NUMBER.fullmatch(token)
        if match is None or match[2] not in ("", *units):
            raise self.wrong(expected, token)
        if not match[2] and self._tokens and self._tokens[0] in units:
            return Decimal(match[1]), self.take()
        return Decimal(match[1]), match[2]


def _is_quoted(token: str) -> bool:
    return len(token) > 1 and token[0] in "\"'"


def _check_unicode(what: str, text: str) -> None:
    if not is_unicode(text):
        raise AlertError(f"{what} {text!a}: holds bytes that are no UTF-8; write it in UTF-8")


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 80 else f"{flat[:79]}…"
