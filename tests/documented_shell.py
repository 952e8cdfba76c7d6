"""The commands in the `sh` blocks of a page, word by word."""

import re
import shlex
from collections.abc import Iterator

BEFORE_A_PROGRAM = {"do", "sudo", "time", "nice"}


def shell_commands(text: str) -> Iterator[tuple[str, ...]]:
    """Give the words of each simple command in the `sh` blocks of a page."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            yield from simple_commands(line)


def simple_commands(line: str) -> Iterator[tuple[str, ...]]:
    words: list[str] = []
    for word in [*shell_words(line), ";"]:
        if word.strip("();<>|&"):
            words.append(word)
            continue
        while words and words[0] in BEFORE_A_PROGRAM:
            words.pop(0)
        if words:
            yield tuple(words)
        words = []


def shell_words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, "#"
    return list(lexer)
