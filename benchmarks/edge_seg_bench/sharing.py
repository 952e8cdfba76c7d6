"""Results that can be published: without the names of the machine and its users, and without their folders."""

import getpass
import platform
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from edge_seg_bench.results import Results

_HOMES = re.compile(r"/(?:home|Users|media|run/media)/+([^/\s:]+)")
_PATH = re.compile(r"(?<![\w.])~?/+(?:[^/\s'\"`:;,()]+/+)*([^/\s'\"`:;,()]+)/*")
_NO_NAMES = {"", "localhost"}
_FOLDER = "a folder in a path"


@dataclass(frozen=True)
class PrivateWords:
    """Names that must not be published."""

    hosts: frozenset[str]
    users: frozenset[str]


def private_words_here() -> PrivateWords:
    """Return the names of this machine and of who asks."""
    return PrivateWords(_host_words(platform.node()), frozenset({getpass.getuser(), Path.home().name}))


def anonymous(results: Results, known: PrivateWords) -> tuple[Results, dict[str, int]]:
    """Return the results without private names and folders, and how often each kind of them was removed.

    The host field goes; of a path the file's name stays; host and user names that `known` or the results themselves
    tell of become "host" and "user" wherever they are words of their own. Keys stay, as do folders in the names of
    models, which tell them apart.
    """
    data: dict[str, Any] = results.model_dump(mode="json")
    scrubber = _Scrubber(_private_words(results, data, known), _folders(results))
    for board in data["boards"]:
        scrubber.drop_places(board)
    return Results.model_validate(scrubber.scrub(data)), dict(scrubber.removed)


class _Scrubber:
    """Removes names and folders from strings, and counts."""

    def __init__(self, words: PrivateWords, folders: Sequence[str]) -> None:
        self.removed: Counter[str] = Counter()
        self._folders = [(re.compile(re.escape(folder) + "/*"), "", _FOLDER) for folder in folders]
        self._words = [
            *((_word(host), "host", f"the host name {host}") for host in sorted(words.hosts, key=len, reverse=True)),
            *((_word(user), "user", f"the user name {user}") for user in sorted(words.users, key=len, reverse=True)),
        ]
        self._model_names: dict[str, str] = {}

    def drop_places(self, board: dict[str, Any]) -> None:
        """Remove what names the machine and the folders of the models; settle what the models are called."""
        host = board["machine"].pop("host")
        self.removed.update([f"the host name {host}"] if host else [])
        for model in board["models"]:
            folder, _, model["path"] = model["path"].rpartition("/")
            self.removed.update([_FOLDER] if folder else [])
            self._settle(model["name"])

    def scrub(self, value: Any) -> Any:
        """Return a JSON value in which every string is scrubbed."""
        if isinstance(value, str):
            return self._model_names.get(value) or self._clean(value)
        if isinstance(value, list):
            return [self.scrub(item) for item in cast("list[Any]", value)]
        if isinstance(value, dict):
            return {key: self.scrub(item) for key, item in cast("dict[str, Any]", value).items()}
        return value

    def _settle(self, name: str) -> None:
        """Choose a clean name for a model, which no other model has."""
        clean, number = self._clean(name), 2
        others = {taken for known, taken in self._model_names.items() if known != name}
        while clean in others:
            clean, number = f"{self._clean(name)} {number}", number + 1
        self._model_names[name] = clean

    def _clean(self, text: str) -> str:
        for pattern, replacement, what in (*self._folders, (_PATH, r"\1", _FOLDER), *self._words):
            text, count = pattern.subn(replacement, text)
            if count:
                self.removed[what] += count
        return text


def _private_words(results: Results, data: dict[str, Any], known: PrivateWords) -> PrivateWords:
    hosts = set(known.hosts)
    for board in results.boards:
        hosts |= _host_words(board.machine.host or "")
    texts = list(_strings(data))
    users = {*known.users, *(user for text in texts for user in _HOMES.findall(text))}
    users |= {"root"} if any("/root" in text for text in texts) else set()
    return PrivateWords(frozenset(hosts), frozenset(users - _NO_NAMES))


def _host_words(host: str) -> frozenset[str]:
    """Return a host's full and its short name."""
    return frozenset({host, host.partition(".")[0]} - _NO_NAMES)


def _folders(results: Results) -> list[str]:
    """Return the folders of the models, deepest first; they may hold spaces."""
    folders = {str(Path(model.path).parent) for board in results.boards for model in board.models}
    return sorted((folder for folder in folders if "/" in folder.strip("/")), key=len, reverse=True)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _strings(item)


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])")
