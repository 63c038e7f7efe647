"""What a run of pictures with captions is measured on: pictures of captions that were held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..data import Codec, Dataset
from ..data.texts.order import CaptionedBatches
from ..draw import derive
from ..game import Sampler
from ..metrics.caption_judge import BATCH, CaptionReader, train_reader, usually_seen
from ..metrics.captions import r_precision
from ..metrics.rows import Undefined
from ..report.sheet import sheet
from .progress import Progress
from .quality import BLOCK, generate

ROWS, COLUMNS = 8, 8  # captions of a sheet, and pictures of each
LETTERS = 32  # of a caption beside a row
READER = "captions.safetensors"
READING = 0.1  # of a time budget, at most, for what finds captions to pictures to learn it
READ = 4_000  # pictures that it may see, however short a run


def generate_captioned(
    sampler: Sampler, tokens: Int[Tensor, "n l"], seed: int, device: torch.device | str = "cpu"
) -> Float[Tensor, "n c h w"]:
    """The first pictures of a set, a caption for each.

    Args:
        sampler: in evaluation mode.
        tokens: of the captions.
        seed: of the set.
        device: the sampler's.
    """
    filled = torch.cat([tokens, tokens[-1:].expand(-len(tokens) % BLOCK, -1)])  # whole blocks
    starts = range(0, len(filled), BLOCK)
    blocks = [generate(sampler, filled[i : i + BLOCK], seed, i, device) for i in starts]
    return torch.cat(blocks)[: len(tokens)]


class FromCaptions:
    """Pictures of the captions of what was held out, from the same noise at every look.

    Where there is no hold-out, of the captions of what was trained on.

    Args:
        data: the run's.
        index: numbers of the real pictures that judge.
        reader: finds captions to pictures; None for no R-precision.

    Attributes:
        asked: token numbers of the captions; D is told them with the pictures.
        reference: what the real pictures of these captions get.
    """

    given_codec: Codec | None = None
    paired = True

    def __init__(self, data: Dataset, index: np.ndarray, reader: CaptionReader | None = None) -> None:
        judges = data.train if data.holdout is None else data.holdout
        batch = judges.gather(index)
        self.asked, self.count = batch["condition"], len(index)
        self.codec, self.texts, self.reader = data.codec, data.texts, reader
        self.reference = self.found_again(batch["real"])

    def make(self, sampler: nn.Module, device: torch.device) -> Tensor:
        """A picture for each caption."""
        assert isinstance(sampler, Sampler)
        return generate_captioned(sampler, self.asked, 0, device)

    def beside(self, made: Tensor, sampler: nn.Module, device: torch.device) -> dict[str, float]:
        """R-precision: how often a picture's own caption fits it best."""
        return self.found_again(made)

    def found_again(self, pictures: Tensor) -> dict[str, float]:
        """The same of any pictures of these captions; nothing if too few differ."""
        if self.reader is None:
            return {}
        try:
            return {"r_precision": r_precision(self.reader, pictures, self.asked).value}
        except Undefined:
            return {}

    def draw(self, sampler: nn.Module, path: Path, device: torch.device, seed: int) -> None:
        """A row for each of some captions, all from the same noise, one in each column."""
        assert isinstance(sampler, Sampler) and self.texts is not None
        tokens = different(self.asked, ROWS)
        made = [generate_captioned(sampler, row.expand(COLUMNS, -1), seed, device) for row in tokens.split(1)]
        labels = [shortened(text) for text in self.texts.decode(tokens)]
        sheet(self.codec.preview(torch.cat(made)), COLUMNS, labels=labels).save(path)


def different(tokens: Int[Tensor, "n l"], most: int) -> Int[Tensor, "k l"]:
    """The first captions of which no two are the same, at most so many."""
    seen: dict[tuple[int, ...], None] = dict.fromkeys(tuple(row) for row in tokens.tolist())
    return torch.tensor(list(seen)[:most], dtype=tokens.dtype)


def shortened(text: str) -> str:
    """A caption that fits beside a row.

    Example:
        >>> shortened("a small red circle on the left of the picture")
        'a small red circle on the left ...'
    """
    return text if len(text) <= LETTERS else text[: LETTERS - 1].rstrip() + " ..."


def reader_of(
    data: Dataset,
    folder: Path,
    budget_s: float | None = None,
    kimg: float | None = None,
    *,
    fresh: bool = False,
    quiet: bool = True,
) -> CaptionReader:
    """What finds captions to pictures, kept with the run: it learns from training pairs, as the run does.

    Nothing is chosen by it: neither the generator nor its encoder has ever seen it.

    Args:
        data: pictures with captions.
        folder: the run's.
        budget_s: seconds the run may take; None if it is not bound by time.
        kimg: thousands of samples the run shall see; the reader sees no more, but a few thousand.
        fresh: let it learn even if there is one, which then a start that failed has left.
        quiet: do not say that it learns.
    """
    path = folder / READER
    if fresh or not (path.is_file() and path.with_suffix(".json").is_file()):
        most_s = None if budget_s is None else READING * budget_s
        most = None if kimg is None else max(int(1000 * kimg), READ)
        Progress(0, quiet=quiet).say("learning to read captions, to judge by ...")
        reader_from(data, derive(0, "reader"), most_s, most).save(path)
    return CaptionReader.load(path)


def reader_from(
    data: Dataset, seed: int, most_s: float | None = None, most: int | None = None
) -> CaptionReader:
    """What finds captions to pictures, and has learnt it from the training pairs alone.

    Args:
        data: pictures with captions.
        seed: of everything random; other than that of a run.
        most_s: seconds that it may take; None if it may take its time.
        most: pictures that it may see; None if as many as suit it.
    """
    assert data.spec.text is not None
    batches = CaptionedBatches(data.train, min(BATCH, len(data.train)), seed)
    vocabulary = data.spec.text.vocabulary
    count = len(data.train)
    kimg = None if most is None else min(most, usually_seen(count)) / 1000
    return train_reader(batches, count, vocabulary=vocabulary, seed=seed, kimg=kimg, most_s=most_s)
