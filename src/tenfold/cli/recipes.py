"""tenfold recipes: what there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .parser import Parser, add_json_flag, show

if TYPE_CHECKING:
    from ..recipe import Recipe


def main(argv: Sequence[str]) -> None:
    """list the kinds of GAN, each with its paper and what it is good for"""
    parser = Parser("recipes", main.__doc__)
    add_json_flag(parser)
    args = parser.read(argv)
    from .. import recipes  # noqa: F401  (registers them)
    from ..recipe import RECIPES

    known = dict(sorted(RECIPES.items()))
    if args.json:
        show({"recipes": [facts(name, cls) for name, cls in known.items()]}, [], as_json=True)
    else:
        show_table(known)


def facts(name: str, cls: type[Recipe]) -> dict[str, Any]:
    """What there is to know of a recipe."""
    needs = {"conditional": cls.conditional, "kinds": list(cls.kinds), "presets": list(cls.presets)}
    return {"name": name, **asdict(cls.about), **needs}


def show_table(known: dict[str, type[Recipe]]) -> None:
    """Print a line per recipe."""
    from rich.console import Console
    from rich.table import Table

    table = Table("recipe", "year", "use", "paper", box=None, padding=(0, 2, 0, 0))
    for name, cls in known.items():
        table.add_row(name, str(cls.about.year), cls.about.use, cls.about.authors)
    Console().print(table)
