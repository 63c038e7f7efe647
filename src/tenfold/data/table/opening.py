"""Opening tables: read, know the columns, hold out, encode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from ...draw import derive
from ...errors import DataError, suggest
from ..codec import Codec
from ..dataset import Dataset, Split
from ..holdout import plan_holdout
from ..notes import holdout_notes
from ..options import DEFAULTS, LoadOptions
from ..spec import DataSpec
from ..texts.pairs import recipe_of_words
from .cells import TableCodec, fit_codec
from .clean import refuse_misfit
from .constraints import with_fitted
from .frames import Frame, read_frame
from .infer import infer
from .schema import TableSpec, read_spec

if TYPE_CHECKING:
    import pandas as pd


def open_table(
    source: Any,  # noqa: ANN401
    options: LoadOptions = DEFAULTS,
    codec: TableCodec | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Dataset:
    """Opens a table for training.

    Args:
        source: a file, or a frame of any kind.
        options: target, spec, hold-out, group and seed are read.
        codec: of a run that was trained on it; found anew if not given.
        say: told how far it is.

    Raises:
        DataError: the table cannot be used; the message says why and what to do.
    """
    frame = read_frame(source)
    spec = codec.spec if codec is not None else with_fitted(frame.df, spec_of(frame, options))
    train, held, notes = split(frame, spec, options)
    seed = derive(options.seed, "table")
    codec = codec or fit_codec(train, spec, frame.container, seed, say)
    target = None if spec.target is None else place_of(codec, spec.target)
    sides = [None if side is None else side_of(side, codec, target) for side in (train, held)]
    first, second = sides
    assert first is not None
    if options.holdout is not None and second is not None:
        refuse_copies(first.values, second.values, options.holdout)
    classes, counts = classes_of(codec, target, first)
    return Dataset(
        source=frame.name,
        spec=DataSpec("table", codec.shape, len(first), classes, counts, cells=codec.cells, target=target),
        codec=plain_codec(codec),
        train=first,
        holdout=second,
        fingerprint=fingerprint(frame, spec, options),
        notes=(*notes, *left_notes(codec)),
        table=codec,
    )


def plain_codec(codec: TableCodec) -> Codec:
    """For whoever takes rows for plain numbers."""
    (width,) = codec.shape
    return Codec("vectors", width, 1, 1, 1, 1, "float32", (-1.0,) * width, (1.0,) * width, ".npy")


def spec_of(frame: Frame, options: LoadOptions) -> TableSpec:
    """What is known of the columns: as it was written down, or as it seems.

    Raises:
        DataError: the target is no column, or a column holds free text.
    """
    names = list(map(str, frame.df.columns))
    if options.target is not None and options.target not in names:
        raise DataError(
            f"{frame.name} has no column {options.target!r} to be the target. "
            + suggest(options.target, names)
        )
    given = None if options.spec is None else read_spec(options.spec)
    if given is not None:
        refuse_other_target(given, options.target)
    spec = infer(frame.df, options.target, given)
    if given is not None:
        refuse_misfit(frame.df, spec)
    free = [column.name for column in spec.columns if column.kind == "text"]
    if free:
        raise DataError(
            f"The column {free[0]!r} of {frame.name} holds free text, which a table's GAN cannot make. "
            "Leave it out of the table, or write a spec with tenfold check --write-spec FILE, set its "
            'kind to "ignore", and pass it: --spec FILE. Or learn the texts: --recipe '
            + recipe_of_words(names)
        )
    return spec


def refuse_other_target(spec: TableSpec, target: str | None) -> None:
    """Raises a DataError if a spec names another target than the one that is asked for."""
    if None not in (target, spec.target) and spec.target != target:
        raise DataError(f"--target is {target!r} and the spec's target is {spec.target!r}. Make them alike.")


def split(
    frame: Frame, spec: TableSpec, options: LoadOptions
) -> tuple[pd.DataFrame, pd.DataFrame | None, list[str]]:
    """Rows that are trained on, rows that are held out, and what there is to say of it."""
    if options.holdout is not None:
        held = read_frame(options.holdout).df
        return frame.df, held, [f"{len(held)} rows of {options.holdout} are held out"]
    if not options.carve:
        return frame.df, None, ["nothing is held out, as asked; the last averaged weights are then used"]
    count = len(frame.df)
    labels = labels_of(frame, spec)
    groups: list[str | None] = [None] * count
    if options.group is not None:
        if options.group not in frame.df.columns:
            raise DataError(
                f"{frame.name} has no column {options.group!r} to group by. "
                + suggest(options.group, map(str, frame.df.columns))
            )
        groups = [str(x) for x in frame.df[options.group]]
    out = plan_holdout(labels, groups, options.seed)
    inside = np.ones(count, bool)
    inside[out] = False
    notes = holdout_notes(int(inside.sum()), len(out), carve=True)
    held = frame.df[~inside].reset_index(drop=True) if len(out) else None
    return frame.df[inside].reset_index(drop=True), held, notes


def refuse_copies(train: np.ndarray, held: np.ndarray, name: str) -> None:
    """Refuse a hold-out that is, for the most part, what is learnt from.

    A few copies are natural in tables, and many in those of few categories: as many as rows of the training
    data have among themselves.

    Args:
        train: stored values of what is learnt from.
        held: and of what is to judge.
        name: of the file of these.

    Raises:
        DataError: more than half of those that need not be copies are some.
    """
    import pandas as pd

    both, columns = pd.DataFrame(np.concatenate([train, held])), list(range(train.shape[1]))
    row = both.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()
    learnt, judging = row[: len(train)], row[len(train) :]
    copies, count = int(np.isin(judging, learnt).sum()), len(held)
    share = float(pd.Series(learnt).duplicated(keep=False).mean())
    beyond = copies - share * count
    if beyond > max((1 - share) * count / 2, 4 * (share * (1 - share) * count) ** 0.5):
        raise DataError(
            f"{copies} of {count} rows of {name} are exact copies of rows that are learnt from, and others "
            "were expected. Nothing can be judged by what was learnt from: name other rows, or leave "
            "--holdout out."
        )


def labels_of(frame: Frame, spec: TableSpec) -> list[str | None]:
    """The class of each row, if the target has classes."""
    known = {column.name: column for column in spec.columns}
    if spec.target is None or known[spec.target].kind not in ("categorical", "boolean"):
        return [None] * len(frame.df)
    return [str(x) for x in frame.df[spec.target]]


def place_of(codec: TableCodec, name: str) -> int | None:
    """Number of the target's cell; None if a constraint has made another column of it."""
    names = [code.name for code in codec.codes]
    return names.index(name) if name in names else None


def side_of(df: pd.DataFrame, codec: TableCodec, target: int | None) -> Split:
    """One side as stored values, with class numbers if the target has classes."""
    values = codec.values_of(df)
    labels = None
    if target is not None and codec.codes[target].category is not None:
        labels = values[:, target].astype(np.int64)
    return Split(values, labels, RowNames(len(values)), codec)


class RowNames(Sequence[str]):
    """What rows are called, made when they are asked for: a million names need no memory."""

    def __init__(self, count: int) -> None:
        self.length = count

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i: Any) -> Any:  # noqa: ANN401
        found = range(self.length)[i]
        return [f"row {k + 1}" for k in found] if isinstance(found, range) else f"row {found + 1}"


def classes_of(
    codec: TableCodec, target: int | None, train: Split
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of the target's classes, and how many training rows have each."""
    if target is None or train.labels is None:
        return (), ()
    code = codec.codes[target].category
    assert code is not None
    names = [*code.categories, *(["(others)"] if code.rare else []), *(["(missing)"] if code.missing else [])]
    return tuple(names), tuple(np.bincount(train.labels, minlength=len(names)).tolist())


def fingerprint(frame: Frame, spec: TableSpec, options: LoadOptions) -> str:
    """Changes when the table, what is known of its columns, or what is held out does."""
    held = None if options.holdout is None else read_frame(options.holdout).fingerprint
    parts = (frame.fingerprint, spec.to_json(), held, options.group, options.seed)
    parts = parts if options.carve else (*parts, "all")
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def left_notes(codec: TableCodec) -> list[str]:
    """What becomes of columns that are not learnt."""
    said = {
        "id": "is an id: it is made anew",
        "constant": "is always the same: it is put back",
        "ignore": "is left out",
    }
    return [f"{column.name!r} {said[column.kind]}" for column in codec.spec.columns if column.kind in said]
