"""Checkpoints that are written whole or not at all, and read only if they are whole.

A checkpoint is a folder of two files, either with its digest: tensors as safetensors, the rest as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer

from ..errors import RunError
from .trainer import Trainer

KEPT = 2


@dataclass(frozen=True)
class State:
    """What a checkpoint holds.

    Attributes:
        tensors: by name.
        facts: whatever JSON can say.
    """

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]


def write_state(folder: Path, state: State) -> None:
    """Write a checkpoint; until it is whole on disk, nothing of that name changes.

    Raises:
        RunError: if it cannot be written (a full disk, for one); what was there before is intact.
    """
    fresh = folder.with_name(f".new-{folder.name}-{os.getpid()}")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        plain = {name: t.detach().cpu().contiguous() for name, t in state.tensors.items()}
        save_file(plain, fresh / "tensors.safetensors")
        facts = json.dumps(state.facts, sort_keys=True)
        record = {"facts": state.facts, "facts_digest": digest_of(facts.encode())}
        record["tensors_digest"] = digest_of((fresh / "tensors.safetensors").read_bytes())
        (fresh / "state.json").write_text(json.dumps(record, indent=1))
        for file in fresh.iterdir():
            flush_to_disk(file)
        replace_folder(fresh, folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise RunError(
            f"the checkpoint {folder} cannot be written ({error}). The one before it is intact: make room, "
            f"then go on with --resume."
        ) from error


def read_state(folder: Path) -> State:
    """Read a checkpoint.

    Raises:
        RunError: if a file is missing or a byte of it is not what was written.
    """
    try:
        record = json.loads((folder / "state.json").read_text())
        data = (folder / "tensors.safetensors").read_bytes()
        facts = json.dumps(record["facts"], sort_keys=True)
        whole = digest_of(facts.encode()) == record["facts_digest"]
        if not whole or digest_of(data) != record["tensors_digest"]:
            raise ValueError("its bytes are not those that were written")
        return State(load_file(folder / "tensors.safetensors"), record["facts"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise RunError(
            f"the checkpoint {folder} is damaged: {error}. Remove that folder to go on "
            "from the one before it."
        ) from error


def digest_of(data: bytes) -> str:
    """A short fingerprint of some bytes."""
    return blake2b(data, digest_size=16).hexdigest()


def flush_to_disk(path: Path) -> None:
    """Wait until a file is on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def replace_folder(fresh: Path, folder: Path) -> None:
    """Put a finished folder in the place of another."""
    old = folder.with_name(f".old-{folder.name}")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def finished(folder: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first; what was cut off while it was written is not among them."""
    return sorted(p for p in folder.iterdir() if p.name.isdigit()) if folder.is_dir() else []


def drop_old(folder: Path, kept: int) -> None:
    """Remove all but the newest checkpoints, and what was cut off while it was written."""
    for stale in (*finished(folder)[:-kept], *folder.glob(".new-*"), *folder.glob(".old-*")):
        shutil.rmtree(stale, ignore_errors=True)


class Checkpoints:
    """The checkpoints of a run, named by the samples seen; the last few are kept.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, trainer: Trainer, extra: Mapping[str, Any]) -> None:
        """Write where a trainer is, then drop what is too old.

        Args:
            trainer: what is saved.
            extra: facts of whoever runs it.
        """
        state = capture(trainer)
        facts = {**state.facts, "extra": dict(extra)}
        write_state(self.folder / f"{trainer.seen:012d}", State(state.tensors, facts))
        drop_old(self.folder, KEPT)

    def load(self, trainer: Trainer) -> Mapping[str, Any]:
        """Put a trainer where the last checkpoint was; gives the extra facts saved with it.

        Raises:
            RunError: if there is none, or it is damaged.
        """
        found = finished(self.folder)
        if not found:
            raise RunError(f"there is no checkpoint in {self.folder}. Start the run anew, in another folder.")
        state = read_state(found[-1])
        restore(trainer, state)
        return state.facts["extra"]


def capture(trainer: Trainer) -> State:
    """Everything that decides what a trainer does next."""
    tensors = {f"game.{k}": v for k, v in trainer.game.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in trainer.ema.module.state_dict().items()}
    for name, optimizer in trainer.optimizers.items():
        for i, held in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{name}.{i}.{k}": v for k, v in held.items() if isinstance(v, Tensor)}
    tensors |= {f"kept.{name}": x for name, x in trainer.kept.items()}
    tensors |= {f"log.{name}": total for name, total in trainer.log.sums.items()}
    facts = {"step": trainer.step, "drawn": trainer.drawn, "rate": trainer.rate, "stage": trainer.stage}
    return State(tensors, facts | {"counts": dict(trainer.log.counts)})


def restore(trainer: Trainer, state: State) -> None:
    """Put a trainer where another was when its state was captured."""
    trainer.game.load_state_dict(part(state.tensors, "game."))
    trainer.ema.module.load_state_dict(part(state.tensors, "ema."))
    for name, optimizer in trainer.optimizers.items():
        restore_optimizer(optimizer, part(state.tensors, f"optimizer.{name}."))
    trainer.step, trainer.drawn = int(state.facts["step"]), int(state.facts["drawn"])
    trainer.rate = float(state.facts["rate"])
    trainer.stage = float(state.facts.get("stage", 0.0))  # a run of an earlier version has none
    device = trainer.runtime.device
    trainer.kept = {name: t.to(device) for name, t in part(state.tensors, "kept.").items()}
    trainer.log.sums = {name: t.to(device) for name, t in part(state.tensors, "log.").items()}
    trainer.log.counts = dict(state.facts["counts"])


def restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give each parameter its state back, in the parameter's own memory layout, as fused kernels need it."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.state.clear()
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        parameter = parameters[int(number)]
        like = tensor.shape == parameter.shape
        held = torch.empty_like(parameter).copy_(tensor) if like else tensor.clone()
        optimizer.state[parameter][key] = held.detach()


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with a prefix, without it."""
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
