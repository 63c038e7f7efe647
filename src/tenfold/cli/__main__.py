"""The command `tenfold`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence

from ..errors import TenfoldError, suggest
from . import check, enlarge, fit, recipes, sample
from .parser import WrongCommand

COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "check": check.main,
    "fit": fit.main,
    "sample": sample.main,
    "enlarge": enlarge.main,
    "recipes": recipes.main,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 1 partly done or failed, 2 the input or the command is wrong, 130 interrupted.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        run(argv)
        sys.stdout.flush()
    except TenfoldError as error:
        print(f"tenfold: {error}", file=sys.stderr)
        if "--json" in argv:
            print(json.dumps({"error": str(error), "exit_code": error.exit_code}))
        return error.exit_code
    except KeyboardInterrupt:
        print("tenfold: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; without this, Python would complain again as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def run(argv: Sequence[str]) -> None:
    """Hand the arguments to the command they name.

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
        COMMANDS[name](rest)
    else:
        raise WrongCommand(f"there is no command {name!r}. {suggest(name, COMMANDS)} See: tenfold --help")


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
