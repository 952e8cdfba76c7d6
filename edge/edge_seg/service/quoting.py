"""Words of a command as systemd reads them: systemd.service(5) "Command lines", systemd.exec(5) "EnvironmentFile"."""

import re

_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./~%^-]+")
_REFERENCE = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def exec_word(word: str) -> str:
    """Write one argument of ExecStart=, so that systemd hands it over unchanged.

    Percent signs would be specifiers and dollar signs variables: both are doubled. `${NAME}` in capitals stays
    what it is: systemd puts the variable of the environment file there, as part of the one argument.
    """
    references = _REFERENCE.findall(word)
    parts = [part.replace("$", "$$") for part in _REFERENCE.split(word)]
    text = parts[0] + "".join(reference + part for reference, part in zip(references, parts[1:], strict=True))
    text = text.replace("%", "%%")
    if _PLAIN.fullmatch(text):
        return text
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in text) + '"'


def exec_line(words: list[str]) -> str:
    """Write a command for ExecStart=."""
    return " ".join(map(exec_word, words))


def environment_line(name: str, value: str) -> str:
    """Write a line of an environment file; single quotes keep everything but a single quote as it is."""
    return f"{name}='{value}'" if "'" not in value else f'{name}="' + re.sub(r'(["\\$`])', r"\\\1", value) + '"'
