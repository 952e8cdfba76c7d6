"""A sentence for a process that is ended from outside Python.

Ray's C++ side ends the process that started a run, without a word, when this machine's part of the cluster dies:
"The connection to the plasma store is failed. Terminate the process."
"""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager

_WAIT_AND_SAY = 'read -r _ || printf "%s\\n" "$1" >&2'


@contextmanager
def last_words(sentence: str) -> Generator[None]:
    """Have a shell write `sentence` to stderr when this process ends without leaving the block."""
    command = ["/bin/sh", "-c", _WAIT_AND_SAY, "sh", sentence]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as shell:
        try:
            yield
        finally:
            shell.communicate(b"\n")
