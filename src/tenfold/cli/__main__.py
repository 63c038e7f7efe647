"""The command `tenfold`."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ..errors import Interrupted, TenfoldError, suggest
from . import check, enlarge, evaluate, explore, fit, prove, recipes, sample, translate
from .parser import WrongCommand

COMMANDS: dict[str, Callable[[Sequence[str]], int | None]] = {
    "check": check.main,
    "fit": fit.main,
    "sample": sample.main,
    "enlarge": enlarge.main,
    "evaluate": evaluate.main,
    "explore": explore.main,
    "prove": prove.main,
    "translate": translate.main,
    "recipes": recipes.main,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 1 partly done or failed, 2 the input or the command is wrong, 130 interrupted.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        with termination_as_interruption():
            code = run(argv)
            sys.stdout.flush()
    except TenfoldError as error:
        return fail(error, argv)
    except KeyboardInterrupt:
        return fail(Interrupted("interrupted"), argv)
    except BrokenPipeError:
        abandon_stdout()
        return 1
    except OSError as error:
        return fail(unusable(error), argv)
    return code


def run(argv: Sequence[str]) -> int:
    """Hand the arguments to the command they name, and return its exit code.

    Raises:
        WrongCommand: if there is no such command.
    """
    name, *rest = argv or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
    elif name == "--version":
        from importlib.metadata import version

        print(version("tenfold"))
    elif name in COMMANDS:
        return COMMANDS[name](rest) or 0
    else:
        raise WrongCommand(f"there is no command {name!r}. {suggest(name, COMMANDS)} See: tenfold --help")
    return 0


@contextmanager
def termination_as_interruption() -> Iterator[None]:
    """Let SIGTERM end the command as Ctrl-C does; a training has its own way while it plays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def unusable(error: OSError) -> TenfoldError:
    """What to say of a file that nobody else said something of."""
    return TenfoldError(
        f"{error.filename or 'a file'} cannot be read or written ({error.strerror or error}). Make room, or "
        "name one that you may use, and try again."
    )


def fail(error: TenfoldError, argv: Sequence[str]) -> int:
    """Say what went wrong, to a person and, if one asked, to a program; return the exit code."""
    print(f"tenfold: {error}", file=sys.stderr)
    if "--json" in argv:
        print(json.dumps({"error": str(error), "exit_code": error.exit_code}))
    try:
        sys.stdout.flush()
    except OSError:
        abandon_stdout()
    return error.exit_code


def abandon_stdout() -> None:
    """Nobody reads our output, or it has no room; without this, Python would complain again as it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def usage() -> str:
    """The commands, each with what it does."""
    lines = [f"  {name:<10}{(command.__doc__ or '').strip()}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: tenfold COMMAND ...",
            "",
            "Trains a GAN on the little data there is, and makes more of it.",
            "",
            *lines,
            "",
            "tenfold COMMAND --help lists the flags of a command.",
            "Exit codes: 0 done, 1 partly done or failed, 2 the input or the command is wrong,",
            "130 interrupted and saved.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
