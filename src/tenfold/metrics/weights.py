"""Weights from files, read without running code that a file may hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..errors import DataError

Network = TypeVar("Network", bound=nn.Module)
_COUNTER = "num_batches_tracked"  # of a batch norm; not all files hold it, and evaluation does not need it


class WeightsError(DataError):
    """A file of weights that is missing, damaged or of another network."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """The named tensors in a .safetensors, .pth or .pt file, floating-point ones in single precision.

    Raises:
        WeightsError: if there is no such file, or it holds anything but named tensors.
    """
    if path.suffix not in _READERS:
        raise WeightsError(
            f"{path} ends in {path.suffix or 'nothing'!r}, expected {', '.join(_READERS)}. "
            "Name a file of weights in one of these formats."
        )
    if not path.is_file():
        raise WeightsError(f"{path} is not there, expected a file of weights. Check the path.")
    try:
        found = _READERS[path.suffix](path)
    except Exception as error:  # a damaged file raises errors of many kinds, some of modules not used here
        why = next(iter(str(error).splitlines()), type(error).__name__)  # some have no text
        raise WeightsError(
            f"{path} cannot be read as weights ({why}). Files that hold more than "
            "tensors are refused, because reading them could run code. Fetch the file anew, or save the "
            "state dict alone."
        ) from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise WeightsError(
            f"{path} holds something else than named tensors, expected a state dict. Save the network's "
            "state dict alone."
        )
    return {str(key): value.float() if value.is_floating_point() else value for key, value in found.items()}


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def _torch(path: Path) -> object:
    return torch.load(path, map_location="cpu", weights_only=True)


_READERS: dict[str, Callable[[Path], object]] = {".safetensors": _safetensors, ".pth": _torch, ".pt": _torch}


def fingerprint(weights: Mapping[str, Tensor]) -> str:
    """Twelve hexadecimal digits that depend on every name and number, and on nothing else about the file."""
    digest = blake2b(digest_size=6)
    for key, value in sorted(weights.items()):
        digest.update(key.encode() + value.cpu().contiguous().numpy().data)
    return digest.hexdigest()


def filled(build: Callable[[], Network], weights: Mapping[str, Tensor], source: str) -> Network:
    """A network in evaluation mode with all its weights from a file, and all of the file's in it.

    Args:
        build: makes the network.
        weights: what the file holds, under the network's names.
        source: what the weights are called in messages.

    Raises:
        WeightsError: if names or shapes are not the network's.
    """
    with torch.device("meta"):  # random first weights would take time and move torch's global random state
        network = build()
    expected = network.state_dict()
    counters = {key: torch.zeros((), dtype=torch.int64) for key in expected if key.endswith(_COUNTER)}
    _refuse_others(expected, {**counters, **weights}, source)
    network.load_state_dict({**counters, **weights}, assign=True)
    return network.eval().requires_grad_(False)


def _refuse_others(expected: Mapping[str, Tensor], given: Mapping[str, Tensor], source: str) -> None:
    missing, unknown = sorted(expected.keys() - given.keys()), sorted(given.keys() - expected.keys())
    wrong = [
        f"{key} of shape {tuple(given[key].shape)} instead of {tuple(expected[key].shape)}"
        for key in expected.keys() & given.keys()
        if given[key].shape != expected[key].shape
    ]
    said = [
        f"{len(names)} {what} (first: {', '.join(names[:3])})"
        for what, names in (("missing", missing), ("unknown", unknown), ("of another shape", sorted(wrong)))
        if names
    ]
    if said:
        raise WeightsError(
            f"The weights {source} are not this network's: of its {len(expected)} tensors, "
            f"{'; '.join(said)}. Use the weights that the network's documentation names."
        )
