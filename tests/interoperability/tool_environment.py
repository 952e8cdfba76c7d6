"""Other people's tools, each in a virtual environment of its own that is kept between runs."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent


@dataclass(frozen=True)
class Tool:
    """An environment that a tool is installed in."""

    environment: Path

    @classmethod
    def install(cls, cache: pytest.Cache, *requirements: str) -> "Tool":
        """Install packages into an environment of their own, or find the one that an earlier run made of the same."""
        identity = " ".join([sys.version, *requirements])
        folder = cache.mkdir(f"tool-{hashlib.sha256(identity.encode()).hexdigest()[:12]}")
        tool, complete = cls(folder / "venv"), folder / "complete"
        if not complete.exists():
            shutil.rmtree(tool.environment, ignore_errors=True)
            venv.create(tool.environment, with_pip=True)
            tool.run("pip", "install", "--quiet", "--disable-pip-version-check", *requirements, timeout_s=900)
            complete.touch()
        return tool

    def run(self, command: str, *arguments: object, timeout_s: float = 240) -> str:
        """Run a command of the environment; return what it printed."""
        line = [str(self.environment / "bin" / command), *map(str, arguments)]
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(line, capture_output=True, text=True, env=variables, check=False, timeout=timeout_s)
        assert done.returncode == 0, f"{' '.join(line)}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def script(self, name: str, *arguments: object) -> dict[str, Any]:
        """Run one of the scripts beside this file in the environment; return the JSON it printed last."""
        return json.loads(self.run("python", SCRIPTS / name, *arguments).splitlines()[-1])
