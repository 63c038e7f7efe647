"""Features of real samples, computed once and kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..data.cache import load, write
from .features import Features


def cached(features: Features, key: str, compute: Callable[[], Float[Tensor, "n d"]]) -> Float[Tensor, "n d"]:
    """What `compute` gives, from the cache if it was computed before.

    Rows are kept beside the decoded data, under the same limit of size; a damaged file is computed anew.
    Features whose weights have no hash are always computed: a function may have changed behind its name.

    Args:
        features: what the rows are computed with.
        key: says of which samples, as `key_of` does.
        compute: called if the cache does not have the rows.

    Raises:
        DataError: if the cache cannot be written.
    """
    about = features.about()
    if not about["hash"]:
        return compute()
    place = "features-" + _digest(json.dumps([key, features.name, about], sort_keys=True).encode())
    rows = _read(place)
    if rows is not None:
        return rows
    rows = compute()
    values = rows.detach().float().cpu().numpy()
    facts = {"features": about, "samples": key, "digest": _digest(values.tobytes())}
    write(place, [values], values.shape, "float32", lambda: facts)
    return torch.from_numpy(values)


def key_of(fingerprint: str, split: str, index: Int[np.ndarray, " n"]) -> str:
    """Says which samples of which data.

    Args:
        fingerprint: the data's.
        split: such as train or holdout.
        index: numbers of the samples, in their order.

    Example:
        >>> key_of("f00d", "train", np.arange(3)) == key_of("f00d", "train", np.array([0, 2, 1]))
        False
    """
    return f"{fingerprint} {split} {_digest(np.asarray(index, np.int64).tobytes())}"


def _read(place: str) -> Float[Tensor, "n d"] | None:
    found = load(place)
    if found is None or found[1].get("digest") != _digest(found[0].tobytes()):
        return None
    return torch.from_numpy(np.array(found[0]))


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
