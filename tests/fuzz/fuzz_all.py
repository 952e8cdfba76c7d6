"""Fuzz every target of fuzz_importers.py in turn, each for its share of the seconds; end with 1 at the first finding.

    python tests/fuzz/fuzz_all.py 180

What is found on the way goes to a temporary folder: the corpus beside this file stays small.
"""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
MEMORY = Path("/dev/shm")  # on a disk most of the time would go into waiting
LIMITS = ("-rss_limit_mb=1000", "-timeout=30", "-seed=1", "-print_final_stats=1")


def main() -> None:
    """Fuzz for sys.argv[1] seconds in all."""
    if find_spec("atheris") is None:
        sys.exit("atheris has no wheel for this platform: fuzz on x86-64 Linux with Python 3.11 to 3.13")
    targets = sorted(path.name for path in (HERE / "corpus").iterdir())
    seconds = max(1, int(sys.argv[1]) // len(targets))
    for target in targets:
        sys.stdout.write(f"{target}: {seconds} s, {fuzzed(target, seconds)} inputs\n")
        sys.stdout.flush()


def fuzzed(target: str, seconds: int) -> str:
    """Return how many inputs were tried; end the program with libFuzzer's report when one is a finding."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as scratch:
        found = Path(scratch, "found")
        found.mkdir()
        arguments = [HERE / "fuzz_importers.py", target, found, HERE / "corpus" / target, f"-max_total_time={seconds}"]
        run = subprocess.run(
            [sys.executable, *map(str, arguments), *LIMITS],
            env={**os.environ, "TMPDIR": scratch},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    if run.returncode:
        sys.exit(f"{run.stderr[-4000:]}\n{target}: a finding, see above")
    return next(line.split()[-1] for line in run.stderr.splitlines() if "number_of_executed_units" in line)


if __name__ == "__main__":
    main()
