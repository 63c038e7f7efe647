"""How flags are read: argparse, with suggestions, and with errors that are printed like all others."""

from __future__ import annotations

import json
import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, NoReturn

from ..errors import TenfoldError, suggest


class WrongCommand(TenfoldError):
    """A command, a flag or a value of one that is not known."""


class Parser(ArgumentParser):
    """The flags of one command.

    Args:
        command: its name.
        about: a sentence on what it does.

    Attributes:
        elsewhere: flags that this command has only under a condition, each with a sentence on it.
    """

    def __init__(self, command: str, about: str | None = None, *, add_help: bool = True) -> None:
        super().__init__(f"tenfold {command}", description=about, add_help=add_help, allow_abbrev=False)
        self.elsewhere: dict[str, str] = {}

    def read(self, argv: Sequence[str]) -> Namespace:
        """The values of the flags.

        Raises:
            WrongCommand: if an argument is unknown, missing or of the wrong type.
        """
        args, rest = self.parse_known_args(argv)
        if not rest:
            return args
        name = next((word.split("=")[0] for word in rest if word.startswith("-")), None)
        if name is None:
            self.error(f"{rest[0]!r} is one argument too many.")
        if name in self.elsewhere:
            self.error(self.elsewhere[name])
        known = {*re.findall(r"--[\w-]+", self.format_usage()), *self.elsewhere}
        self.error(f"{self.prog} has no flag {name!r}. {suggest(name, known)}")

    def error(self, message: str) -> NoReturn:
        """Raise the complaint; argparse itself would print it and leave the process."""
        end = "" if message.rstrip().endswith((".", "?")) else "."
        raise WrongCommand(f"{message.rstrip()}{end} See: {self.prog} --help")


def add_json_flag(parser: ArgumentParser) -> None:
    """The flag that asks for output made for programs."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, and nothing else, to stdout"
    )


@contextmanager
def stdout_kept_clean(wanted: bool) -> Iterator[None]:
    """While a command works for a program, whatever it says goes to standard error."""
    if not wanted:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def show(result: Mapping[str, Any], lines: Sequence[str], *, as_json: bool) -> None:
    """Print a result, for a program or for a person; of several processes of one run, only the first does."""
    if os.environ.get("RANK", "0") == "0":
        print(json.dumps(result, indent=2) if as_json else "\n".join(lines))
