"""Starting from another run's weights: what fits is taken, and what does not is said.

References:
    Transferring GANs: generating images from limited data (Wang et al., 2018), https://arxiv.org/abs/1805.01677
    Freeze the Discriminator: a Simple Baseline for Fine-Tuning GANs (Mo et al., 2020),
    https://arxiv.org/abs/2002.10964
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .data.spec import DataSpec
from .engine.checkpoint import part
from .errors import RunError
from .game import Game
from .nn.layers import SpectralEmbedding
from .nn.networks.fastgan import FastGenerator
from .nn.networks.r3 import R3Generator
from .nn.networks.stem import Stem
from .nn.networks.stylegan2 import Mapping as StyleMapping
from .recipe import Recipe, recipe_name
from .run import Run

NUMBER = re.compile(r"\.(\d+)\.")
LEAST = 0.01  # of the weights, below which nothing is said to fit


@dataclass(frozen=True)
class Taken:
    """What a player took from another run.

    Attributes:
        player: its name.
        taken, whole: numbers of weights that were taken, and that there are.
        left: names of the tensors that start anew.
        classes: how many classes have a namesake there.
    """

    player: str
    taken: int
    whole: int
    left: tuple[str, ...]
    classes: int

    @property
    def words(self) -> str:
        """For people."""
        new = f"; new: {', '.join(self.left[:4])}{' ...' if len(self.left) > 4 else ''}" if self.left else ""
        known = f"; {self.classes} classes have a namesake there" if self.classes else ""
        return f"{self.player} takes {self.taken:,} of its {self.whole:,} weights{known}{new}"


def refuse_unlike(run: Run, recipe: Recipe, spec: DataSpec) -> None:
    """Raises a RunError if a run is of another recipe, or its pictures have other channels."""
    name = recipe_name(recipe)
    if run.facts["recipe"] != name:
        raise RunError(
            f"{run.path} was trained with recipe {run.facts['recipe']!r}, and {name!r} has other networks. "
            f"Use --recipe {run.facts['recipe']}."
        )
    old, new = run.spec.shape, spec.shape
    if len(old) != len(new) or old[0] != new[0]:
        raise RunError(
            f"{run.path} makes {what(old)}, the data are {what(new)}. Convert one of them, or start anew."
        )


def what(shape: tuple[int, ...]) -> str:
    """A shape in words."""
    return f"pictures of {shape[0]} channels" if len(shape) == 3 else f"rows of {shape[0]} numbers"


@torch.no_grad()
def start_from(run: Run, game: Game[Any], spec: DataSpec) -> list[Taken]:
    """Give a new game the weights of a run: its averaged sampler, and the other players as they last were.

    Layers are matched by name. Where one network has more than the other, as for pictures of another size,
    they are matched from the end at which more of them fit. Classes are matched by name; a new one starts as
    the mean of all.
    """
    tensors = run.checkpoint().tensors
    old_game, players = part(tensors, "game."), game.players()
    old_game |= {f"sampler.{name}": value for name, value in part(tensors, "ema.").items()}
    old_game = with_and_without_classes(old_game)
    found = []
    for name, player in players.items():
        found.append(take(name, tensors_of(game, player), old_game, (run.spec.classes, spec.classes)))
    return found


def refuse_unfit(run: Run, found: Sequence[Taken]) -> None:
    """Raises a RunError if a player takes next to nothing: it would be a beginner against a master."""
    poor = [each.words.partition(";")[0] for each in found if each.taken < LEAST * each.whole]
    if poor:
        raise RunError(
            f"{run.path} does not fit these networks: {', '.join(poor)}. Leave out --recipe, --preset and "
            "--width, give those of that run, or bring the pictures to its size."
        )


def with_and_without_classes(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A run's tensors, and its norms as they would be with or without classes: a mean, or all alike."""
    found = dict(tensors)
    for name, tensor in tensors.items():
        for table, plain in ((".gain.weight", ".norm.weight"), (".bias.weight", ".norm.bias")):
            if name.endswith(table) and tensor.ndim == 2:
                found.setdefault(name.removesuffix(table) + plain, tensor.mean(0))
            elif name.endswith(plain) and tensor.ndim == 1:
                found.setdefault(name.removesuffix(plain) + table, tensor[None])
    return found


@dataclass(frozen=True)
class Named:
    """A player's tensors.

    Attributes:
        tensors: all that it has, by their names within the game.
        tables: names of those with a row for each class.
        weights: names of those that are learnt.
        readers: names of those that read noise and, behind it, a vector of a class where there are classes;
            and whether they are scaled by how many numbers they read.
    """

    tensors: Mapping[str, Tensor]
    tables: frozenset[str]
    weights: frozenset[str]
    readers: Mapping[str, bool]


def tensors_of(game: nn.Module, player: nn.Module) -> Named:
    """A player's tensors, which may lie in several parts of the game."""
    mine = {id(tensor) for tensor in (*player.parameters(), *player.buffers())}
    tensors = {name: t for name, t in game.state_dict(keep_vars=True).items() if id(t) in mine}
    tables: set[str] = set()
    readers: dict[str, bool] = {}
    for name, part_ in game.named_modules():
        match part_:
            case Stem():
                readers[f"{name}.linear.weight"] = False
            case FastGenerator():
                readers[f"{name}.stem.weight"] = False
            case R3Generator():
                readers[f"{name}.scale.weight"] = False
            case StyleMapping():
                readers[f"{name}.layers.0.weight"] = True
            case nn.Embedding():
                tables.add(f"{name}.weight")
            case SpectralEmbedding():
                tables |= {f"{name}.normalised.weight", f"{name}.normalised.u"}
            case _:
                pass
    weights = {name for name, tensor in tensors.items() if isinstance(tensor, nn.Parameter)}
    return Named(tensors, frozenset(tables & set(tensors)), frozenset(weights), readers)


def take(player: str, new: Named, old: Mapping[str, Tensor], classes: tuple[Any, Any]) -> Taken:
    """Copy what fits into a player."""
    sources = best_matches(new.tensors, old)
    took, left = set[str](), []
    for name, tensor in new.tensors.items():
        source = old.get(sources.get(name, name))
        if name.endswith(".share"):  # how far a transition is: this run's own
            continue
        if source is not None and name in new.readers and beside_classes(source, tensor):
            shared = min(source.shape[1], tensor.shape[1])
            factor = (tensor.shape[1] / source.shape[1]) ** 0.5 if new.readers[name] else 1.0
            tensor.zero_()[:, :shared] = factor * source[:, :shared]
            took.add(name)
        elif source is None or source.shape[1:] != tensor.shape[1:]:
            left.append(name)
        elif name in new.tables and (classes[0] != classes[1] or len(source) != len(tensor)):
            tensor.copy_(by_class(source, *classes))
            took.add(name)
        elif source.shape == tensor.shape:
            tensor.copy_(source)
            took.add(name)
        else:
            left.append(name)
    taken, whole = (sum(new.tensors[n].numel() for n in names & new.weights) for names in (took, new.weights))
    knew = any(old[sources.get(name, name)].shape[0] > 1 for name in took & new.tables)
    known = len(set(classes[0]) & set(classes[1])) if knew else 0
    return Taken(player, taken, whole, tuple(left), known)


def beside_classes(a: Tensor, b: Tensor) -> bool:
    """Whether one of two matrices reads noise, and the other noise and, behind it, as much of a class."""
    alike = a.ndim == b.ndim == 2 and len(a) == len(b) > 1
    return alike and max(a.shape[1], b.shape[1]) == 2 * min(a.shape[1], b.shape[1])


def by_class(table: Tensor, old: Sequence[str], new: Sequence[str]) -> Tensor:
    """Rows of the classes that have a namesake; the mean of all for the others."""
    rows = dict(zip(old, table, strict=True)) if len(old) == len(table) else {}
    return torch.stack([rows.get(name, table.mean(0)) for name in new])


def best_matches(new: Mapping[str, Tensor], old: Mapping[str, Tensor]) -> dict[str, str]:
    """For each name in a list of layers, that of the layer at the same distance from its better end."""
    found: dict[str, str] = {}
    for stem in {name[: m.start()] for name in new if (m := NUMBER.search(name))}:
        mine = [name for name in new if name.startswith(f"{stem}.") and NUMBER.match(name[len(stem) :])]
        lengths = [length_of(stem, names) for names in (new, old)]
        ways = [{name: moved(name, stem, by) for name in mine} for by in {0, lengths[1] - lengths[0]}]
        fitting = [sum(new[a].numel() for a, b in way.items() if fits(new, old, a, b)) for way in ways]
        found |= ways[fitting.index(max(fitting))]
    return found


def length_of(stem: str, names: Mapping[str, Tensor]) -> int:
    """How many layers a list has, counted by the highest number."""
    numbers = [int(m[1]) for n in names if n.startswith(f"{stem}.") and (m := NUMBER.match(n[len(stem) :]))]
    return 1 + max(numbers, default=-1)


def moved(name: str, stem: str, by: int) -> str:
    """The name of the layer so many places further in its list."""
    match = NUMBER.match(name[len(stem) :])
    assert match is not None
    return f"{stem}.{int(match[1]) + by}.{name[len(stem) + match.end() :]}"


def fits(new: Mapping[str, Tensor], old: Mapping[str, Tensor], a: str, b: str) -> bool:
    """Whether a tensor there has the shape of one here."""
    return b in old and old[b].shape == new[a].shape


def freeze(module: nn.Module, layers: int) -> list[str]:
    """Freeze a discriminator's layers that are closest to the picture, with the norms behind them.

    Args:
        module: the discriminator.
        layers: how many convolutions or linear maps.

    Returns:
        Names of what was frozen.

    Raises:
        RunError: it has not so many, or none would be left to learn.
    """
    parts: dict[str, list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        parts.setdefault(name.rpartition(".")[0].removesuffix(".normalised"), []).append(parameter)
    matrices = [any(parameter.ndim > 1 for parameter in group) for group in parts.values()]
    if not 0 <= layers < sum(matrices):
        raise RunError(
            f"--freeze-d is {layers}; 0 to {sum(matrices) - 1} were expected, as D has {sum(matrices)} "
            "layers."
        )
    numbers = [sum(matrices[: i + 1]) for i in range(len(matrices))]
    frozen = [name for name, number in zip(parts, numbers, strict=True) if 0 < number <= layers]
    for name in frozen:
        for parameter in parts[name]:
            parameter.requires_grad_(False)
    return frozen
