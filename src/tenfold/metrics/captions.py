"""Do pictures show what was said? And are they like real pictures of the same captions?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..draw import derive
from ..errors import DataError
from .caption_judge import CaptionReader
from .kernel import Estimate
from .rows import Undefined, comparable
from .suite import Measured

CANDIDATES = 10  # captions among which the right one is to be found
CHUNK = 1024
Read = Callable[[Tensor], Mapping[str, np.ndarray]]
"""Maps pictures in [-1, 1] to what they show: an array of values for each attribute by name."""


def r_precision(
    reader: CaptionReader,
    pictures: Float[Tensor, "n c h w"],
    tokens: Int[Tensor, "n l"],
    *,
    candidates: int = CANDIDATES,
    meanings: Sequence[int] | np.ndarray | None = None,
    seed: int = 0,
) -> Estimate:
    """Share of pictures whose own caption fits better than others that mean something else.

    Args:
        reader: says how well a caption fits; it learnt from real pairs only, and not with the generator.
        pictures: made, or real.
        tokens: of the caption of each.
        candidates: captions among which the own one is to be found; no two of them mean the same.
        meanings: a number for each caption, the same for those that mean the same; if not given, captions
            mean the same if they are the same.
        seed: of the choice of others.

    Raises:
        Undefined: captions mean fewer than `candidates` different things.

    References:
        AttnGAN: Fine-Grained Text to Image Generation with Attentional Generative Adversarial Networks
        (Xu et al., 2018), https://arxiv.org/abs/1711.10485
    """
    known = same_texts(tokens) if meanings is None else np.asarray(meanings)
    if not len(pictures) == len(tokens) == len(known):
        raise DataError(
            f"Found {len(pictures)} pictures, {len(tokens)} captions and {len(known)} meanings, expected one "
            "of each. Give each picture its caption."
        )
    others = torch.from_numpy(distractors(known, candidates - 1, seed))
    seen, said = reader.pictures(pictures), reader.captions(tokens)
    own = (seen * said).sum(1, keepdim=True)
    parts = zip(seen.split(CHUNK), others.split(CHUNK), strict=True)
    fits = [(part[:, None] * said[index]).sum(2) for part, index in parts]
    return share((own > torch.cat(fits)).all(1).numpy())


def same_texts(tokens: Int[Tensor, "n l"]) -> Int[np.ndarray, " n"]:
    """A number for each text, the same for those that are the same."""
    return np.unique(tokens.cpu().numpy(), axis=0, return_inverse=True)[1].reshape(-1)


def distractors(meanings: Int[np.ndarray, " n"], many: int, seed: int) -> Int[np.ndarray, "n many"]:
    """For each caption the numbers of so many others; of these and itself, no two mean the same.

    Raises:
        Undefined: there are too few.
    """
    rng = np.random.default_rng(derive(seed, "distractors"))
    members = np.argsort(meanings, kind="stable")
    kinds, first, counts = np.unique(meanings[members], return_index=True, return_counts=True)
    if len(kinds) <= many or many < 1:
        raise Undefined(
            f"Not defined for {len(kinds)} different captions: at least {max(many, 1) + 1} were expected. "
            "Compare more, or choose among fewer candidates."
        )
    found = []
    for part in np.array_split(meanings, -(-len(meanings) // CHUNK)):
        scores = rng.random((len(part), len(kinds)))
        scores[np.arange(len(part)), np.searchsorted(kinds, part)] = 2.0  # never itself
        found.append(np.argpartition(scores, many - 1, axis=1)[:, :many])
    chosen = np.concatenate(found)
    # Of each kind any caption: with one for all pictures, a single odd wording would decide for all of them.
    within = (rng.random(chosen.shape) * counts[chosen]).astype(np.int64)
    return members[first[chosen] + within]


def share(right: np.ndarray) -> Estimate:
    """A share, and its standard error."""
    value = float(np.mean(right))
    return Estimate(value, (value * (1 - value) / len(right)) ** 0.5)


def attribute_accuracy(
    read: Read, pictures: Float[Tensor, "n c h w"], wanted: Mapping[str, np.ndarray]
) -> dict[str, Estimate]:
    """Share of pictures that show what was asked for, by attribute; and `all`, of all attributes at once.

    Args:
        read: says what pictures show, such as several classifiers of real ones.
        pictures: made, or real.
        wanted: by the name of an attribute, the value that was asked for, of each picture.

    Raises:
        DataError: nothing was asked for, something that cannot be read, or not of every picture.

    Example:
        >>> bright = lambda x: {"bright": (x.mean((1, 2, 3)) > 0).numpy()}
        >>> x = torch.stack([torch.ones(1, 2, 2), -torch.ones(1, 2, 2)])
        >>> attribute_accuracy(bright, x, {"bright": np.array([True, True])})["bright"].value
        0.5
    """
    said = read(pictures)
    missing = [name for name in wanted if name not in said]
    if missing or not wanted:
        raise DataError(
            f"Asked for {', '.join(wanted) or 'nothing'}, and what is read of pictures is {', '.join(said)}. "
            "Ask for some of these."
        )
    n = len(pictures)
    uneven = [name for name in wanted if not len(wanted[name]) == len(said[name]) == n]
    if uneven:
        raise DataError(
            f"Found {n} pictures, and not as many values of {uneven[0]}. Give one for each picture."
        )
    right = {name: np.asarray(said[name]) == np.asarray(values) for name, values in wanted.items()}
    return {**{name: share(x) for name, x in right.items()}, "all": share(np.all(list(right.values()), 0))}


def kernel_distance_of_pairs(real: Float[Tensor, "n d"], fake: Float[Tensor, "n d"]) -> Estimate:
    """The kernel distance of made pictures and real ones where number i of both has the same caption.

    The kernel is (x.y / d + 1)^3. Pictures of one caption are more alike than others: over all pairs, the
    distance would read low. Left out are those of the same number; then it is zero on average where made
    pictures of a caption are distributed as real ones of it. The error is the jackknife over captions.

    Args:
        real, fake: features.

    Raises:
        DataError: if the rows do not match, or hold NaN or infinite numbers.
        Undefined: if there are fewer than three.

    References:
        A Kernel Two-Sample Test (Gretton et al., 2012), https://jmlr.org/papers/v13/gretton12a.html
    """
    real, fake = comparable(real, fake, least=3)
    if len(real) != len(fake):
        raise DataError(
            f"Found {len(real)} real and {len(fake)} made pictures, expected as many: one of each for every "
            "caption. Make as many."
        )
    n = len(real)
    across = kernel(real, fake)
    apart = (kernel(real, real) + kernel(fake, fake) - across - across.T).fill_diagonal_(0)
    rows, total = apart.sum(1), apart.sum()
    left_out = (total - 2 * rows) / ((n - 1) * (n - 2))
    error = ((n - 1) * left_out.var(correction=0)).sqrt()
    return Estimate((total / (n * (n - 1))).item(), error.item())


def kernel(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """Of every row with every other."""
    return (a @ b.T / a.shape[1] + 1).pow(3)


def found_again(
    reader: CaptionReader, made: Tensor, real: Tensor, tokens: Int[Tensor, "n l"], seed: int = 0
) -> Measured:
    """R-precision of made pictures beside that of the real ones with the same captions.

    Args:
        reader: which says how well a caption fits.
        made, real: pictures, number i of both of the same caption.
        tokens: of the captions.
        seed: of the choice of other captions.
    """
    n = len(made)
    try:
        value, reference = (r_precision(reader, x, tokens, seed=seed) for x in (made, real))
    except Undefined as error:
        return Measured(None, None, n, why=str(error))
    return Measured(value.value, reference.value, n, value.error, how=f"1 of {CANDIDATES}")
