"""A Raspberry Pi's `vcgencmd` for tests: a program that prints what a test gives it."""

from pathlib import Path

import pytest


def install_vcgencmd(folder: Path, monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
    """Put a `vcgencmd` in front on PATH that prints the text of each command, e.g. get_throttled="throttled=0x0"."""
    folder.mkdir()
    for command, text in texts.items():
        (folder / command).write_text(text)
    program = folder / "vcgencmd"
    program.write_text(f'#!/bin/sh\n[ -f "{folder}/$1" ] || exit 255\nexec cat "{folder}/$1"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
