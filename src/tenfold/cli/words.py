"""The flags of texts, and tenfold sample of what learnt from words."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .parser import WrongCommand
from .series import has_series_flags

if TYPE_CHECKING:
    from ..data.texts.options import TextOptions
    from ..run import Run

    Made = tuple[dict[str, Any], list[str]]

FLAGS = ("text", "temperature", "prefix")
NAMES = {"tokens": "tokens", "length": "length", "vocabulary": "vocabulary", "text": "text_column"}
NAMES |= {"label": "label", "template": "template"}
"""By field of TextOptions: where its flag is kept."""


def add_text_flags(parser: ArgumentParser, *, label: bool) -> None:
    """Fields of TextOptions that no other flag gives.

    Args:
        parser: of the command.
        label: whether that of the class's column is still missing.
    """
    add = parser.add_argument_group("texts and captions").add_argument
    add(
        "--tokens",
        choices=("auto", "characters", "words", "bpe"),
        help="what texts are made of (default auto)",
    )
    add("--length", type=int, metavar="N", help="tokens of a text at most (default: nearly all as they are)")
    add("--vocabulary", type=int, metavar="N", help="different tokens at most")
    add("--text-column", metavar="COLUMN", help="column of the texts, or of the captions")
    if label:
        add("--label", metavar="COLUMN", help="column of the class of each text, to be asked for")
    add("--template", metavar="TEXT", help='captions of classes, such as "a photo of a {label}"')


def add_word_flags(parser: ArgumentParser) -> None:
    """The flags of `tenfold sample` for what learnt from words."""
    add = parser.add_argument
    add(
        "--text",
        action="append",
        metavar="TEXT",
        help="what the pictures shall show; several times for several (without --out and --grid: one sheet, "
        "RUN/drawn.png)",
    )
    add(
        "--temperature",
        type=float,
        metavar="X",
        help="of texts: below 1 likely words are likelier (default 1)",
    )
    add("--prefix", metavar="TEXT", help="of texts: what each begins with")


def text_options(args: Namespace) -> TextOptions | None:
    """What is said of texts; None if nothing is."""
    given = {name: getattr(args, flag, None) for name, flag in NAMES.items()}
    given = {name: value for name, value in given.items() if value is not None}
    if not {*given} - ({"label"} if has_series_flags(args) else set()):
        return None
    from ..data.texts.options import TextOptions

    return TextOptions(**given)


def of_words(run: Run) -> Callable[[Run, Namespace], Made] | None:
    """How samples of a run of words are made; None of others."""
    return {"texts": sample_texts, "text_pairs": sample_texts, "captioned": sample_pictures}.get(run.kind)


def refuse_flags_of_words(run: Run, args: Namespace) -> None:
    """Raises a WrongCommand if words are spoken of and the run knows none."""
    for name in FLAGS:
        if getattr(args, name) is not None:
            raise WrongCommand(f"--{name} is about words, and {args.run} learnt from {run.kind}.")


def sample_texts(run: Run, args: Namespace) -> Made:
    """Texts, a line each, to a file or as they are; beside their classes in a file of fields."""
    from ..data.texts.fields import FIELDS
    from ..words.translating import write_lines
    from ..words.writing import fields_of_texts, labels_of_texts

    refuse_others(args, ("text", "grid", "filter"), "pictures")
    temperature = 1.0 if args.temperature is None else args.temperature
    asked = {"label": args.label, "temperature": temperature, "prefix": args.prefix or "", "seed": args.seed}
    refuse_place(args.out)
    texts = run.write(args.count, **asked)
    labels = labels_of_texts(run, len(texts), args.label) if run.classes else None
    facts: dict[str, Any] = {"count": len(texts), "out": args.out}
    if args.out is None:
        return {**facts, "texts": texts, **({} if labels is None else {"labels": labels})}, texts
    suffix = Path(args.out).suffix.lower()
    lines = fields_of_texts(run, texts, labels, suffix) if suffix in FIELDS else texts
    write_lines(lines, Path(args.out))
    notes = []
    folded = sum("\n" in text or "\r" in text for text in texts) if suffix != ".jsonl" else 0
    if folded:
        notes.append(f"{folded} of them have several lines, which are one in the file")
    if labels is not None and args.label is None and suffix not in FIELDS:
        notes.append(f"the {len(run.classes)} classes take turns; --out FILE.csv writes them, too")
    return facts, [f"{len(texts)} texts: {args.out}", *notes]


def refuse_place(out: str | None) -> None:
    """Raises a WrongCommand if texts cannot be written to a file, or something is there."""
    from ..data.texts.fields import FIELDS
    from ..data.texts.places import OTHERS

    if out is None:
        return
    if Path(out).exists():
        raise WrongCommand(f"{out} exists already and would be overwritten. Choose another --out.")
    suffix = Path(out).suffix.lower()
    if suffix in OTHERS and suffix not in FIELDS:
        raise WrongCommand(
            f"--out is {out}, and texts are not written as {suffix}. Choose .txt for a text per line, or "
            f"{', '.join(FIELDS)} for their classes, too."
        )


def sample_pictures(run: Run, args: Namespace) -> Made:
    """Pictures of what is said."""
    refuse_others(args, ("temperature", "prefix"), "texts")
    refuse_others(args, ("label", "filter"), "pictures without captions")
    if not args.text:
        raise WrongCommand(f'what shall the pictures show? {args.run} learnt from captions: --text "..."')
    drawn = run.draw(args.text, args.count, seed=args.seed)
    if args.out is not None:
        drawn.save(args.out)
    if args.grid is not None:
        drawn.grid(args.grid)
    where = " and ".join(place for place in (args.out, args.grid) if place)
    facts = {"count": len(drawn), "out": args.out, "grid": args.grid, "notes": list(drawn.notes)}
    return facts, [f"{len(drawn)} pictures: {where}", *drawn.notes]


def refuse_others(args: Namespace, names: tuple[str, ...], of: str) -> None:
    """Raises a WrongCommand if a flag is for something else."""
    for name in names:
        given = getattr(args, name)
        if given is not None and given is not False:  # a temperature of 0 is one
            raise WrongCommand(f"--{name} is for {of}. Leave it out.")
