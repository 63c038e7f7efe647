"""Looking at data without training on them: what is there, what is wrong with it, what would be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .blocks import read
from .holdout import carve, refuse_unknown_classes
from .notes import LEAST, bad_images, class_notes, holdout_notes
from .options import DEFAULTS, LoadOptions
from .pairing import Direction, Sides, find_sides
from .parts import BadImage, Item, Part, order_labels
from .plan import Plan, Survey, differences, make_plan, refuse_other, survey, workers
from .sources import Found, Source, find

PAIRS_SHOWN, BAD_SHOWN, CLASSES_SHOWN = 5, 5, 20
# Images that can be read, each with a digest of its values.
Rows = Sequence[tuple[Item, bytes]]


@dataclass(frozen=True)
class Looked:
    """What was seen of a part when every image was decoded.

    Attributes:
        good: images that can be read.
        rows: the same, each with a digest of its values.
        bad: name and reason of those that cannot.
    """

    good: Survey
    rows: Rows
    bad: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Report:
    """What is there, what is wrong with it, and what would be done.

    Attributes:
        source: what was looked at.
        kind: "images" or "vectors"; "pairs" for images, each made of another.
        count: samples that can be read, those of a given hold-out not among them.
        sizes: "width x height" of all, or the smallest, median and largest, in pixels.
        modes: samples per kind of pixel, such as "RGB".
        dtypes: samples per type of value.
        classes: samples per class.
        bad: name and reason of each file that cannot be read, those of a given hold-out among them.
        duplicates: how many samples are exact copies of an earlier one.
        duplicate_pairs: names of the first few copies, each with the earlier one.
        ignored: files that are not images.
        holdout: samples that would be held out.
        shape: of a sample as the networks would see it; empty if no plan can be made.
        notes: what would be decided, a sentence each.
        problems: what stands in the way of training, a sentence each.
        captions: files of text that have the names of most of the images, and may be their captions.
    """

    source: str
    kind: str
    count: int
    sizes: str
    modes: dict[str, int]
    dtypes: dict[str, int]
    classes: dict[str, int]
    bad: tuple[tuple[str, str], ...]
    duplicates: int
    duplicate_pairs: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    holdout: int
    shape: tuple[int, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    captions: int = 0

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The report as plain text."""
        return [line for line in self._lines() if line]

    def _lines(self) -> Iterator[str]:
        yield f"{self.source}: {self.count} {self.kind}, {self.sizes}"
        yield f"kind of value: {_counted(self.modes)}; {_counted(self.dtypes)}"
        yield f"classes: {_counted(self.classes)}" if self.classes else "classes: none, no labels were found"
        if self.shape:
            shape = " x ".join(map(str, self.shape))
            yield f"the networks would see {shape}; {self.holdout} samples held out"
        yield from (f"cannot be read: {name} ({why})" for name, why in self.bad[:BAD_SHOWN])
        if len(self.bad) > BAD_SHOWN:
            yield f"cannot be read: {len(self.bad) - BAD_SHOWN} more"
        if self.duplicates:
            pairs = ", ".join(f"{copy} = {first}" for copy, first in self.duplicate_pairs)
            yield f"exact duplicates: {self.duplicates} ({pairs})"
        yield from (f"note: {note}" for note in self.notes)
        yield from (f"problem: {problem}" for problem in self.problems)


def check(source: Source, options: LoadOptions = DEFAULTS) -> Report:
    """Decodes everything once and reports; nothing is stored, and torch is not needed.

    Raises:
        DataError: there is nothing to look at.
    """
    return _check(find(source, options), options)


def check_pairs(source: str | Path, names: tuple[str, str], options: LoadOptions = DEFAULTS) -> Report:
    """The same for pairs, each side by itself.

    Args:
        source: what holds both sides.
        names: of the sides: of sub-folders, or of columns of a table.
        options: as for `check`.

    Raises:
        DataError: a picture has no partner, or there is nothing to look at.
    """
    a, b = names
    sides = find_sides(source, Direction(a, b, paired=True), options)
    each = {a: _check(sides.given, options), b: _check(sides.made, options)}
    reports = each.values()
    problems = [f"{name}: {problem}" for name, report in each.items() for problem in report.problems]
    return replace(
        each[b],
        source=str(source),
        kind="pairs",
        count=min(report.count for report in reports),
        sizes="; ".join(f"{name} {report.sizes}" for name, report in each.items()),
        modes={f"{name} {mode}": n for name, report in each.items() for mode, n in report.modes.items()},
        dtypes={f"{name} {dtype}": n for name, report in each.items() for dtype, n in report.dtypes.items()},
        classes={},
        bad=tuple((f"{name}/{file}", why) for name, report in each.items() for file, why in report.bad),
        duplicates=sum(report.duplicates for report in reports),
        duplicate_pairs=tuple(
            (f"{name}/{copy}", f"{name}/{first}")
            for name, report in each.items()
            for copy, first in report.duplicate_pairs
        ),
        notes=tuple(f"{name}: {note}" for name, report in each.items() for note in report.notes),
        problems=(*problems, *_other_sizes(sides, options)),
    )


def _other_sizes(sides: Sides, options: LoadOptions) -> list[str]:
    made, given = (survey(found.train) for found in (sides.made, sides.given))
    if options.size is not None or len(made.items) != len(given.items):
        return []
    both = zip(made.items, made.sizes().tolist(), given.sizes().tolist(), strict=True)
    other = [item.name for item, a, b in both if a != b]
    if not other:
        return []
    much = f"{len(other)} of {len(made.items)} pairs have pictures of two sizes (first: {other[0]})"
    return [f"{much}. Make them alike, or pass --size to have both resized."]


def _check(found: Found, options: LoadOptions) -> Report:
    looked = _look_at_all(found.train)
    given = _look_at_all(found.holdout) if found.holdout is not None else None
    good, copies = looked.good, _copies(looked.rows)
    plan, (train, held), problems = _plan(found, looked, given, options)
    notes = [*found.notes, *(plan.notes if plan else ())]
    notes += class_notes([item for item, _ in train], [item for item, _ in held])
    if plan is not None:
        notes += [*holdout_notes(len(train), len(held), found.carve), *_shared(train, held)]
    bad = [*looked.bad, *(given.bad if given else ())]
    if plan is not None:
        problems += _hopeless(_kind(good), train)
    if bad and not options.skip_bad:
        total = len(bad) + len(good.items) + (len(given.good.items) if given else 0)
        problems.append(bad_images(bad, total))
    return Report(
        source=found.source,
        kind=_kind(good),
        count=len(good.items),
        sizes=_sizes(good),
        modes=dict(Counter(header.mode for header in good.headers)),
        dtypes=dict(Counter(header.dtype for header in good.headers)),
        classes=_classes(good.items),
        bad=tuple(bad),
        duplicates=len(copies),
        duplicate_pairs=tuple(copies[:PAIRS_SHOWN]),
        ignored=found.train.ignored,
        holdout=len(held),
        shape=plan.row if plan else (),
        notes=tuple(notes),
        problems=tuple(problems),
        captions=found.train.captions,
    )


def _hopeless(kind: str, train: Rows) -> list[str]:
    found: list[str] = []
    if len(train) < LEAST:
        found.append(f"{len(train)} {kind} to train on; at least {LEAST} are needed to judge by")
    if len(train) > 1 and len({digest for _, digest in train}) == 1:
        found.append(f"all {kind} are the same; there is nothing to learn")
    return found


def _look_at_all(part: Part) -> Looked:
    # Every image is decoded: a header says nothing of what is missing at the end of a file.
    headers = survey(part)
    with workers() as pool:
        each = map if part.array is not None else pool.map
        looked = list(each(lambda item: _digest(part, item), headers.items))
    bad = [*headers.bad]
    bad += [(item.name, why) for item, (digest, why) in zip(headers.items, looked, strict=True) if not digest]
    rows = [
        (item, header, digest)
        for item, header, (digest, _) in zip(headers.items, headers.headers, looked, strict=True)
        if digest
    ]
    good = Survey(tuple(row[0] for row in rows), tuple(row[1] for row in rows))
    return Looked(good, [(item, digest) for item, _, digest in rows], bad)


def _copies(rows: Rows) -> list[tuple[str, str]]:
    first: dict[bytes, str] = {}
    return [
        (item.name, first[digest])
        for item, digest in rows
        if first.setdefault(digest, item.name) != item.name
    ]


def _shared(train: Rows, held: Rows) -> list[str]:
    known = {digest: item.name for item, digest in reversed(train)}
    copies = [(item.name, known[digest]) for item, digest in held if digest in known]
    if not copies:
        return []
    first = " = ".join(copies[0])
    return [
        f"{len(copies)} of {len(held)} hold-out images are exact copies of training images (first: {first})"
    ]


def _digest(part: Part, item: Item) -> tuple[bytes, str]:
    try:
        values = read(part, item)
    except BadImage as error:
        return b"", str(error)
    content = blake2b(np.ascontiguousarray(values).data, digest_size=16)
    content.update(repr((values.shape, values.dtype)).encode())
    return content.digest(), ""


def _plan(
    found: Found, looked: Looked, given: Looked | None, options: LoadOptions
) -> tuple[Plan | None, tuple[Rows, Rows], list[str]]:
    try:
        plan = make_plan(looked.good, options.size)
        sides = _sides(found, looked, given, options)
    except DataError as error:
        return None, (looked.rows, []), [*differences(looked.good)] or [str(error)]
    return plan, sides, []


def _sides(found: Found, looked: Looked, given: Looked | None, options: LoadOptions) -> tuple[Rows, Rows]:
    if given is not None:
        refuse_other(looked.good, given.good)
        refuse_unknown_classes(looked.good.items, given.good.items)
        return looked.rows, given.rows
    out = carve(looked.good.items, options.seed) if found.carve else set[int]()
    kept = [row for index, row in enumerate(looked.rows) if index not in out]
    return kept, [looked.rows[index] for index in sorted(out)]


def _kind(good: Survey) -> str:
    return "vectors" if good.headers and good.headers[0].mode == "vector" else "images"


def _sizes(good: Survey) -> str:
    if not good.headers:
        return "none that can be read"
    if _kind(good) == "vectors":
        return f"{good.headers[0].width} features"
    sizes = good.sizes()
    if (sizes == sizes[0]).all():
        return f"{sizes[0, 1]}x{sizes[0, 0]} pixels"
    by_area = sizes[np.argsort(sizes.prod(axis=1), kind="stable")]
    small, median, large = by_area[0], by_area[len(by_area) // 2], by_area[-1]
    return ", ".join(
        f"{name} {w}x{h}" for name, (h, w) in (("smallest", small), ("median", median), ("largest", large))
    )


def _classes(items: Sequence[Item]) -> dict[str, int]:
    counts = Counter(item.label for item in items if item.label is not None)
    return {name: counts[name] for name in order_labels(set(counts))}


def _counted(counts: dict[str, int]) -> str:
    shown = [f"{name} {n}" for name, n in list(counts.items())[:CLASSES_SHOWN]]
    more = [f"and {len(counts) - CLASSES_SHOWN} more"] if len(counts) > CLASSES_SHOWN else []
    return ", ".join(shown + more) or "none"
