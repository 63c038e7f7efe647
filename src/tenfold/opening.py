"""Opening whatever data are: pictures, pairs of them, tables, series, texts, rows of numbers."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import fields, replace
from pathlib import Path

import numpy as np

from .data import Dataset, LoadOptions, open_data
from .data.notes import LEAST
from .data.pairing import Direction, sides_within
from .data.series.opening import open_series
from .data.series.schema import SeriesOptions
from .data.sides import open_sides, open_undirected
from .data.spec import DataSpec
from .data.table.frames import is_table
from .data.table.opening import open_table
from .data.texts.captions import holds_pictures, is_captioned
from .data.texts.codec import TextCodec
from .data.texts.opening import open_captioned, open_text_pairs, open_texts
from .data.texts.options import TextOptions
from .data.texts.places import is_texts
from .data.unlabelled import with_unlabelled
from .errors import DataError, RecipeError
from .options import Options, Source
from .watching.progress import Progress, seldom

NOT_READ = {
    "series": ("holdout", "group", "unlabelled"),
    "texts": ("group", "size", "unlabelled", "skip_bad", "target", "spec", "side", "to"),
    "text_pairs": ("group", "size", "unlabelled", "skip_bad", "target", "spec"),
    "captioned": ("unlabelled", "target", "spec", "side", "to"),
}
"""By kind of data: options that mean nothing to it."""


def opened(
    data: Source, options: Options, seed: int, kinds: Collection[str] | None
) -> tuple[Dataset, DataSpec]:
    """The data, and what is learnt from: more than what has labels, if there are unlabelled samples."""
    how = load_options(options, seed)
    kind = kind_of_words(data, {*(kinds or ())}, chosen=kinds is None)
    if kind is None and kinds is None and options.texts is not None and options.texts.template is not None:
        kind = "captioned" if holds_pictures(data) else None
    if kind is not None:
        refuse_unread(options, NOT_READ[kind], kind)
        dataset = open_words(data, options, seed, kind)
        refuse_few(dataset, options.holdout)
        return dataset, dataset.spec
    refuse_text_options(options)
    series = options.series is not None or "series" in (kinds or ())
    if not series and (is_table(data) or is_array_of_rows(data, kinds)):
        say = Progress(0, quiet=options.quiet or os.environ.get("RANK", "0") != "0").say
        say(f"reading {data if isinstance(data, str | Path) else 'the table'} ...")
        dataset = open_table(data, how, say=seldom(say))
        refuse_few(dataset, options.holdout)
        return dataset, dataset.spec
    refuse_table_options(options)
    if series:
        refuse_unread(options, NOT_READ["series"], "series")
        dataset = open_series(data, replace(options.series or SeriesOptions(), seed=seed))
        refuse_few(dataset, None)
        return dataset, dataset.spec
    direction = direction_of(data, options, kinds)
    if direction is None or isinstance(data, np.ndarray):
        dataset = open_undirected(data, how) if kinds is None else open_data(data, how)
    else:
        dataset = open_sides(data, direction, how)
    if options.unlabelled is not None and dataset.given is not None:
        raise RecipeError("samples of --unlabelled have no other side to learn from. Leave it out.")
    if options.unlabelled is not None:
        dataset = with_unlabelled(dataset, options.unlabelled, skip_bad=options.skip_bad)
    refuse_few(dataset, options.holdout)
    more = 0 if dataset.unlabelled is None else len(dataset.unlabelled)
    return dataset, replace(dataset.spec, count=dataset.spec.count + more)


def kind_of_words(data: Source, kinds: Collection[str], *, chosen: bool) -> str | None:
    """Whether texts, pairs of texts, or pictures with captions are meant; None if not.

    Args:
        data: where they are.
        kinds: of data that the recipe takes.
        chosen: whether the recipe is still to be chosen from the data.
    """
    meant = next((kind for kind in ("text_pairs", "texts", "captioned") if kind in kinds), None)
    if not chosen:
        return meant
    return "texts" if is_texts(data) else "captioned" if is_captioned(data) else None


def open_words(
    data: Source, options: Options, seed: int, kind: str, codec: TextCodec | None = None
) -> Dataset:
    """Texts, pairs of texts, or pictures with captions.

    Args:
        data: where they are.
        options: with what is said of texts.
        seed: decides what is held out.
        kind: texts, text_pairs or captioned.
        codec: of a run that was trained on them; found anew if not given.
    """
    asked = options.texts or TextOptions()
    named = {"source": options.side or asked.source, "target": options.to or asked.target}
    asked = replace(asked, holdout=options.holdout, seed=seed, **named)
    if kind == "text_pairs":
        return open_text_pairs(data, asked, codec)
    if kind == "texts":
        return open_texts(data, asked, codec)
    return open_captioned(data, asked, load_options(options, seed), codec)


def refuse_text_options(options: Options) -> None:
    """Raises a RecipeError if something is said of texts where there are none."""
    if options.texts is not None:
        names = [f.name for f in fields(TextOptions) if getattr(options.texts, f.name) != f.default]
        flags = [f"--{'text-column' if name == 'text' else name}" for name in names]
        raise RecipeError(
            f"{', '.join(flags) or 'an option'} speaks of texts or captions, and the recipe or the "
            "data have none. Choose a recipe that has, such as --recipe lm of texts or --recipe dfgan of "
            "pictures with captions, or leave it out."
        )


def is_array_of_rows(data: Source, kinds: Collection[str] | None) -> bool:
    """Whether data are a plain array that the recipe takes for a table."""
    return isinstance(data, np.ndarray) and data.ndim == 2 and "table" in (kinds or ())


def refuse_unread(options: Options, names: Collection[str], kind: str) -> None:
    """Raises a RecipeError if something is asked for that is not read of this kind of data."""
    for name in names:
        given = getattr(options, name)
        if given is not None and given is not False:
            why = ": a part of them is held out" if kind == "series" else ""
            flag = "from" if name == "side" else name.replace("_", "-")
            raise RecipeError(f"--{flag} is not read of {kind}{why}. Leave it out.")
    if not options.carve:
        hint = "Say it there: series=SeriesOptions(holdout=False)" if kind == "series" else "Leave it out."
        raise RecipeError(f"carve=False is not read of {kind}. {hint}")


def refuse_table_options(options: Options) -> None:
    """Raises a RecipeError if something is said of a table's columns where there is no table."""
    for name in ("target", "spec"):
        if (found := getattr(options, name)) is not None:
            raise RecipeError(
                f"--{name} {found} is about the columns of a table, and the data are none. Leave it out."
            )


def direction_of(data: Source, options: Options, kinds: Collection[str] | None) -> Direction | None:
    """What shall be translated into what, if anything.

    Args:
        data: where the pictures are.
        options: which may name the sides.
        kinds: of data that the recipe takes; None if it is not known yet.

    Raises:
        RecipeError: sides are named for a recipe that takes none, or of an array.
    """
    named, takes = options.side is not None or options.to is not None, {*(kinds or ())}
    two_sided = {"pairs", "unpaired"} & takes
    if named and kinds is not None and not two_sided:
        raise RecipeError(
            f"--from and --to name two sides of pictures, and the recipe takes {' or '.join(kinds)}. Leave "
            "them out, or choose another: tenfold recipes"
        )
    if named and isinstance(data, np.ndarray):
        raise RecipeError("--from and --to name two sides of pictures, and an array has one. Give folders.")
    if not named and (not two_sided or ("images" in takes and not sides_within(data))):
        return None
    return Direction(options.side, options.to, None if kinds is None else "pairs" in takes)


def load_options(options: Options, seed: int) -> LoadOptions:
    """The part of the options that says how data are read.

    Raises:
        RecipeError: if there is no such seed.
    """
    if seed < 0:
        raise RecipeError(f"--seed is {seed}; 0 or more was expected. Any such number will do.")
    return LoadOptions(
        size=options.size,
        holdout=options.holdout,
        carve=options.carve,
        group=options.group,
        skip_bad=options.skip_bad,
        target=options.target,
        spec=options.spec,
        seed=seed,
    )


def refuse_few(dataset: Dataset, given: str | None) -> None:
    """Raises a DataError if there are too few samples to measure quality by; a hold-out may be given."""
    if dataset.spec.count < LEAST:
        raise DataError(
            f"the data have {dataset.spec.count} training samples; at least {LEAST} were expected, or "
            "nothing can be said of the quality of what is made. Add some."
        )
    if dataset.holdout is None or len(dataset.holdout) >= LEAST:
        return
    what_to_do = (
        "Add some, or leave --holdout out."
        if given
        else "No more fit beside a sample of each class and whole groups to train on: leave --group out, or "
        "give samples of your own with --holdout DIR."
    )
    raise DataError(
        f"the hold-out has {len(dataset.holdout)} samples; at least {LEAST} were expected, to judge by. "
        + what_to_do
    )
