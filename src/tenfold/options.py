"""How to run, whatever the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .data.series.schema import SeriesOptions
from .data.texts.options import TextOptions
from .errors import RecipeError, suggest
from .watching.stopping import check_rules

KNOWN = {
    "precision": ("auto", "fp32", "bf16"),
    "memory_format": ("auto", "contiguous", "channels_last"),
}
Source = Any
"""A path, the name of a set, an array, or a frame of pandas or polars (which need not be installed)."""


@dataclass(frozen=True)
class Options:
    """How to run, whatever the recipe.

    Attributes:
        device: auto (cuda, else mps, else cpu) or a name.
        precision: of matrix products and convolutions; auto measures bf16 where the hardware has it.
        memory_format: of pictures; auto measures.
        micro_batches: parts in which a batch is processed to save memory; 0 for as many as are needed.
        size: longest side to which pictures are resized.
        holdout: a folder of samples to judge by, instead of a part of the data.
        carve: whether a part of the data is held out to judge by; if not, and no hold-out is given, no best
            sampler can be chosen, and the last one is kept. Of series, `series` says so.
        group: metadata column whose groups are never split between training and hold-out.
        unlabelled: a folder of samples without labels, to be learnt from, too.
        skip_bad: leave out pictures that cannot be read; texts are never left out so.
        patience: looks in a row without a better sampler after which the run ends; None for no such end. The
            first look is always the best and the last ends the run, so that it acts up to two less than there
            are looks.
        stop_when: what is good enough to end the run, such as `kernel_distance<0.01`, or `psnr>25` where
            every picture that is made has one that it should be; the whole error bar
            must be beyond the limit.
        start: folder of another run, from whose weights this one starts.
        freeze_d: layers of the discriminator, the closest to the picture, that then stay as they are.
        side: name of what is translated: a sub-folder, a column of a table, left or right.
        to: name of what it is translated into, or the folder of these pictures.
        target: column of a table that is to be predicted from the others.
        spec: file that says what the columns of a table are.
        series: what the columns of series are, and what becomes of gaps and long ones.
        texts: how texts and captions become tokens, and where they are.
        tensorboard: also write TensorBoard events.
        quiet: no progress line.
    """

    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    memory_format: Literal["auto", "contiguous", "channels_last"] = "auto"
    micro_batches: int = 0
    size: int | None = None
    holdout: str | None = None
    carve: bool = True
    group: str | None = None
    unlabelled: str | None = None
    skip_bad: bool = False
    patience: int | None = None
    stop_when: str | None = None
    start: str | None = None
    freeze_d: int = 0
    side: str | None = None
    to: str | None = None
    target: str | None = None
    spec: str | None = None
    series: SeriesOptions | None = None
    texts: TextOptions | None = None
    tensorboard: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        """Raises a RecipeError if a value is unknown or can never be."""
        check_rules(self.patience, self.stop_when)
        if self.freeze_d and self.start is None:
            raise RecipeError(
                f"--freeze-d {self.freeze_d} keeps layers of another run, and there is none. Name it: --from."
            )
        for name, known in KNOWN.items():
            if (found := getattr(self, name)) not in known:
                raise RecipeError(f"{name} is {found!r}. {suggest(str(found), known)}")


def options_from(fields: Mapping[str, Any]) -> Options:
    """The options that a run's record holds."""
    series, texts = fields.get("series"), fields.get("texts")
    read = {
        "series": None if series is None else SeriesOptions.from_json(series),
        "texts": None if texts is None else TextOptions(**texts),
    }
    return Options(**{**fields, **read})
