"""How a command ends: errors as one line on stderr, and exit codes."""

import errno
import functools
import sys
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

import typer

from edge_seg.errors import EdgeSegError

P = ParamSpec("P")
R = TypeVar("R")

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def reporting(command: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command so that what a user can cure is one line, and Ctrl-C ends with 130."""

    @functools.wraps(command)
    def reported(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except EdgeSegError as error:
            _fail(str(error), error.exit_code)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(EXIT_FAILED) from None
        except OSError as error:
            _fail(_os_sentence(error))

    return reported


def _fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    typer.secho(f"edge-seg: {message}", fg=typer.colors.RED, err=True)
    raise typer.Exit(code)


def _os_sentence(error: OSError) -> str:
    where = error.filename or "a file"
    if error.errno == errno.ENOSPC:
        return f"{where}: the disk is full; free some space and run the command again"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where}: permission denied; choose another folder or change its rights"
    return f"{where}: {error.strerror or error}; check the path and try again"
