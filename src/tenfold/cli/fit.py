"""tenfold fit: train."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .fields import add_fields, fields_of_some, given
from .options import add_data_flags, add_run_flags, as_flags, asked_for, data_name, read_options
from .parser import Parser, WrongCommand, add_json_flag, show, stdout_kept_clean
from .series import add_series_flags
from .words import add_text_flags

if TYPE_CHECKING:
    from ..plan import Plan
    from ..run import Run

CHANGEABLE = {"device", "tensorboard", "quiet", "patience", "stop_when"}


def main(argv: Sequence[str]) -> None:
    """train on images or rows of numbers, or go on with a run"""
    args = read(argv)
    if args.dry_run and args.resume is None:
        plan(args)
        return
    with stdout_kept_clean(args.json):
        run = fit(args) if args.resume is None else resume(args)
    show(run.summary(), [str(run.path)], as_json=args.json)


def read(argv: Sequence[str]) -> Namespace:
    """Two passes: the first learns the recipe, the second knows its fields.

    Without a recipe, the fields that all recipes have are known.

    Raises:
        RecipeError: if there is no such recipe.
        WrongCommand: if a flag is unknown, its value is of the wrong type, or there is nothing to train on.
    """
    first = Parser("fit", add_help=False)
    first.add_argument("--recipe")
    first.add_argument("--preset")
    first.add_argument("-h", "--help", action="store_true")
    seen, _ = first.parse_known_args(argv)
    parser = own_flags(seen.recipe)
    if seen.recipe is not None:
        from ..recipe import recipe_class

        cls = recipe_class(seen.recipe)
        if "series" in cls.kinds:  # other recipes may have fields of these names
            add_series_flags(parser)
        if {"texts", "text_pairs", "captioned"} & {*cls.kinds}:
            add_text_flags(parser, label=True)
        add_fields(parser, cls, f"recipe {seen.recipe} (presets: {', '.join(cls.presets)})", seen.preset)
        return finished(parser, argv)
    add_series_flags(parser)
    add_text_flags(parser, label=False)
    if not seen.help:
        from .. import recipes  # noqa: F401  (registers them)
        from ..recipe import RECIPES, Recipe

        add_fields(parser, Recipe, "every recipe")
        parser.elsewhere = fields_of_some(RECIPES, Recipe)
    return finished(parser, argv)


def finished(parser: Parser, argv: Sequence[str]) -> Namespace:
    """The values of all flags.

    Raises:
        WrongCommand: if a flag is unknown, its value is of the wrong type, or there is nothing to train on.
    """
    args = parser.read(argv)
    if args.data is None and args.resume is None:
        parser.error("there is nothing to train on. Name a folder or file, or a run with --resume RUN.")
    return args


def own_flags(recipe: str | None) -> Parser:
    """The flags of the command itself."""
    if recipe is None:
        parser = Parser("fit", main.__doc__)
        parser.epilog = "A recipe's fields are flags too; tenfold fit --recipe NAME --help lists them."
    else:
        parser = Parser(f"fit --recipe {recipe}", main.__doc__)
    add = parser.add_argument
    add(
        "data", nargs="?", type=data_name, metavar="DATA", help="folder, archive, array file or name of a set"
    )
    add("--recipe", metavar="NAME", help="kind of GAN; see tenfold recipes (default: chosen from the data)")
    add("--preset", metavar="NAME", help="values of the recipe's fields (default: chosen from the machine)")
    add("--budget", metavar="TIME", help="how long to train: 40s, 10m, 2h (default 10m); +10m to go on")
    add("--kimg", type=float, metavar="K", help="train on so many thousand samples, instead of a time")
    add("--out", metavar="DIR", help="folder of the run (default: in runs/)")
    add("--seed", type=int, default=0, metavar="N", help="everything random derives from it (default 0)")
    add("--resume", metavar="RUN", help="go on with a run")
    add("--dry-run", action="store_true", help="say what would be done, with reasons, and stop")
    add_json_flag(parser)
    add_data_flags(parser)
    add_run_flags(parser)
    return parser


def fit(args: Namespace) -> Run:
    """Train."""
    from time import perf_counter

    from ..fitting import train

    begun = perf_counter()
    made = intend(args)
    return train(made, args.out, read_options(args), begun)


def plan(args: Namespace) -> None:
    """Say what would be done, and why."""
    with stdout_kept_clean(args.json):
        made = intend(args)
    show(made.to_json(), made.lines(), as_json=args.json)


def intend(args: Namespace) -> Plan:
    """What the flags ask for."""
    from ..choosing import by_name
    from ..plan import make_plan

    options = read_options(args)
    decide = by_name(args.recipe, args.preset, given(args), options.device, options.start)
    return make_plan(args.data, decide, budget=args.budget, kimg=args.kimg, seed=args.seed, options=options)


def resume(args: Namespace) -> Run:
    """Go on with a run.

    Raises:
        WrongCommand: if something is asked for that was decided when the run began.
    """
    from ..fitting import resume as go_on

    options = read_options(args)
    decided = asked_for(options, CHANGEABLE)
    decided += [name for name in ("preset", "out", "seed", "dry_run") if getattr(args, name)]
    decided += list(given(args))
    if decided:
        raise WrongCommand(f"--resume goes on as {args.resume} began. Leave out {as_flags(decided)}.")
    return go_on(
        args.resume,
        data=args.data,
        recipe=args.recipe,
        budget=args.budget,
        kimg=args.kimg,
        options=options,
    )
