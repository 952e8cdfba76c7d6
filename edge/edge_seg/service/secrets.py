"""Passwords and tokens of a command line: a unit file can be read by everyone, an environment file need not be."""

import re
from collections.abc import Sequence

_USER_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+@", re.IGNORECASE)  # "/" too: some passwords have one
_KEY_IN_URL = re.compile(r"://\S+[?&][^=&\s]*(key|token|secret|passw|sig|auth)[^=&\s]*=", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"--[a-z0-9-]*(token|password|secret)", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
MASK = "***"


def separate_secrets(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Replace words that hold a secret by `${EDGE_SEG_SECRET_n}`; return the words and what the variables hold.

    Secret are URLs with a user, a password or a key in them, and what follows an option such as --token. A word that
    refers to a variable already is left alone.
    """
    kept: list[str] = []
    secrets: dict[str, str] = {}
    for before, word in zip(("", *words), words, strict=False):
        if _is_secret(word, before):
            name = f"EDGE_SEG_SECRET_{len(secrets) + 1}"
            secrets[name] = word
            kept.append(f"${{{name}}}")
        else:
            kept.append(word)
    return kept, secrets


def without_secrets(words: Sequence[str]) -> list[str]:
    """Replace words that hold a secret by ***, for messages."""
    return [MASK if _is_secret(word, before) else word for before, word in zip(("", *words), words, strict=False)]


def _is_secret(word: str, before: str) -> bool:
    if _REFERENCE.search(word):
        return False
    named = _SECRET_OPTION.fullmatch(before) is not None
    in_url = _USER_IN_URL.search(word) or _KEY_IN_URL.search(word)
    return named or in_url is not None or _is_option_with_secret(word)


def _is_option_with_secret(word: str) -> bool:
    option, equals, _ = word.partition("=")
    return bool(equals) and _SECRET_OPTION.fullmatch(option) is not None
