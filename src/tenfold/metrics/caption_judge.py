"""A reader of captions that has nothing in common with the one in training: it judges what is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Protocol

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from ..data.texts.layout import PAD, SPECIAL, UNKNOWN
from ..draw import Draw, derive
from ..errors import DataError, RunError
from ..nn.networks.words import Contrast, of_size_one
from .classifier import Network

DIMENSION = 64
BATCH, AT_ONCE = 64, 256
RATE = 2e-3
FORGOTTEN = 0.1  # share of tokens that it is not told while it learns
PICTURES = (10_000, 60_000)  # that it sees at least and at most
OFTEN = 40  # times that it sees each, between these
WARM, TIMED = 2, 4  # batches before their time is taken, and of which it is
FEWEST = 10  # batches that it sees however little time there is


class Pairs(Protocol):
    """Batches of pictures with captions."""

    @property
    def size(self) -> int:
        """Pairs in a batch."""
        ...

    def __call__(self, index: int, rows: slice, /) -> Mapping[str, Tensor]:
        """Some rows of a batch: `real` in [-1, 1]; `condition`, the token numbers of a caption of each."""
        ...


class Phrases(nn.Module):
    """Texts to a vector each: what is most of each feature of three, and then of five, tokens in a row.

    No recurrence, and no order beyond that: unlike the encoder that generators are told captions by.

    Args:
        vocabulary: how many different tokens there are.
        dimension: of the vector.
        width: of tokens and of features.
    """

    def __init__(self, vocabulary: int, dimension: int = DIMENSION, width: int = 96) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width, padding_idx=PAD)
        self.convs = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(2))
        self.last = nn.Linear(2 * width, dimension)

    def forward(self, tokens: Int[Tensor, "n l"]) -> Float[Tensor, "n d"]:
        """A vector for each text, of numbers of size one."""
        there = (tokens != PAD)[:, None].float()
        x, most = self.tokens(tokens).transpose(1, 2), []
        for conv in self.convs:
            x = F.relu(conv(x)) * there  # 0 behind the end, so that longer padding changes nothing
            most.append(x.amax(2))
        return of_size_one(self.last(torch.cat(most, 1)))


class Pair(nn.Module):
    """Both encoders, and what compares them while they learn."""

    def __init__(self, shape: tuple[int, int, int], vocabulary: int) -> None:
        super().__init__()
        self.texts, self.pictures = Phrases(vocabulary), Network(shape, DIMENSION)
        self.contrast = Contrast()


@dataclass(frozen=True, eq=False)
class CaptionReader:
    """Encoders of pictures and of captions that learn no more.

    Attributes:
        pair: in evaluation mode.
        shape: of pictures, (channels, height, width).
        vocabulary: how many different tokens captions have.
    """

    pair: Pair
    shape: tuple[int, int, int]
    vocabulary: int

    def __post_init__(self) -> None:
        self.pair.eval()

    @torch.no_grad()
    def pictures(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """A vector of length one for each picture in [-1, 1].

        Raises:
            DataError: if they are of another size.
        """
        if tuple(x.shape[1:]) != self.shape:
            raise DataError(
                f"Found pictures of shape {tuple(x.shape[1:])}, expected {self.shape}, as it learnt from. "
                "Resize them, or let it learn from others."
            )
        return F.normalize(torch.cat([self.pair.pictures(some) for some in x.float().split(AT_ONCE)]), dim=1)

    @torch.no_grad()
    def captions(self, tokens: Int[Tensor, "n l"]) -> Float[Tensor, "n d"]:
        """A vector of length one for each caption."""
        return F.normalize(torch.cat([self.pair.texts(some) for some in tokens.split(AT_ONCE)]), dim=1)

    def save(self, path: Path) -> None:
        """Writes the weights to `path`, and what they belong to into a JSON file beside it."""
        save_file({key: value.contiguous() for key, value in self.pair.state_dict().items()}, path)
        about = {"shape": self.shape, "vocabulary": self.vocabulary}
        path.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> CaptionReader:
        """What `save` wrote to `path`.

        Raises:
            RunError: if the files are missing, damaged or do not belong together.
        """
        try:
            about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            (channels, height, width), vocabulary = about["shape"], about["vocabulary"]
            pair = Pair((channels, height, width), vocabulary)
            pair.load_state_dict(load_file(path))
        except (OSError, ValueError, LookupError, TypeError, RuntimeError, SafetensorError) as error:
            raise RunError(
                f"{path} and its JSON file are no saved reader of captions ({error}). Remove both: a resumed "
                "run lets it learn again."
            ) from error
        return cls(pair, (channels, height, width), vocabulary)


def train_reader(
    pairs: Pairs,
    count: int,
    *,
    vocabulary: int,
    seed: int,
    kimg: float | None = None,
    most_s: float | None = None,
) -> CaptionReader:
    """Lets encoders learn which picture belongs to which caption; from real pairs only.

    The same pairs and seed give the same weights on the same machine with the same number of threads, unless
    time cuts it short; torch's global random state is neither read nor changed.

    Args:
        pairs: batches of two pairs or more.
        count: how many different pictures there are.
        vocabulary: how many different tokens there are.
        seed: decides first weights, shifts and forgotten tokens; other than that of training.
        kimg: thousands of pictures seen; by default each 40 times, but 10 to 60 thousand in total.
        most_s: seconds that it may take; fewer pictures are then seen if need be.

    Raises:
        DataError: there are fewer than two pictures.
    """
    if count < 2:
        raise DataError(
            f"{count} pairs of picture and caption were found; at least 2 were expected, to tell them apart. "
            "Add some."
        )
    seen = usually_seen(count) if kimg is None else 1000 * kimg
    steps = max(int(seen) // pairs.size, 2)
    channels, height, width = pairs(0, slice(0, pairs.size))["real"].shape[1:]
    shape = channels, height, width
    if most_s is not None:
        steps = fitting(untrained(shape, vocabulary, seed), pairs, steps, seed, most_s)
    pair = untrained(shape, vocabulary, seed)
    learn(pair, pairs, steps, seed)
    return CaptionReader(pair.requires_grad_(False), shape, vocabulary)


def usually_seen(count: int) -> int:
    """Pictures that encoders see of so many different ones, unless it is said.

    Example:
        >>> usually_seen(40), usually_seen(1000), usually_seen(5000)
        (10000, 40000, 60000)
    """
    return min(max(OFTEN * count, PICTURES[0]), PICTURES[1])


def learn(pair: Pair, pairs: Pairs, steps: int, seed: int) -> None:
    """Lets encoders see so many batches, at a rate that rises first and then falls to nothing."""
    whole = slice(0, pairs.size)
    optimizer = torch.optim.AdamW(pair.parameters(), RATE, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.2)
    for step in range(steps):
        batch, draw = pairs(step, whole), Draw(derive(seed, "reader", step), whole, pairs.size)
        optimizer.zero_grad()
        loss_of(pair, batch["real"], batch["condition"], draw).backward()
        optimizer.step()
        schedule.step()


def fitting(trial: Pair, pairs: Pairs, steps: int, seed: int, most_s: float) -> int:
    """As many of these batches as encoders can see in a time, part of which finding out takes.

    Args:
        trial: encoders that are used up by it.
        pairs, steps, seed: of what is planned.
        most_s: seconds.
    """
    begun = perf_counter()
    learn(trial, pairs, WARM, seed)
    warm = perf_counter()
    learn(trial, pairs, TIMED, seed)
    now = perf_counter()
    fit = int((most_s - (now - begun)) * TIMED / (now - warm))
    return min(steps, max(fit, FEWEST))


def loss_of(pair: Pair, real: Tensor, tokens: Int[Tensor, "n l"], draw: Draw) -> Float[Tensor, ""]:
    """What is minimised: pictures that are moved and captions that miss some tokens shall find each other."""
    gone = (draw.uniform(tokens.shape[1]) < FORGOTTEN) & (tokens >= SPECIAL)
    told = pair.texts(tokens.masked_fill(gone, UNKNOWN))
    seen = of_size_one(pair.pictures(moved(real, draw)))
    return pair.contrast(seen, told, tokens, draw)[0]


def moved(x: Float[Tensor, "n c h w"], draw: Draw) -> Float[Tensor, "n c h w"]:
    """The batch moved by one pixel at most; the border is repeated."""
    height, width = x.shape[2:]
    top, left = int(3 * draw.once()), int(3 * draw.once())
    return F.pad(x, [1] * 4, mode="replicate")[:, :, top : top + height, left : left + width]


def untrained(shape: tuple[int, int, int], vocabulary: int, seed: int) -> Pair:
    """Networks whose first weights depend on the seed alone, whatever the global generator's state."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(seed, "reader", "weights"))
        return Pair(shape, vocabulary)
