"""Recipes: a dataclass of hyperparameters that can build what it describes.

The dataclass is the one schema behind the constructor, the command line's flags, the YAML record and the
table in the documentation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar, Literal, TypeVar, cast, dataclass_transform

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ConfigDict, ValidationError
from pydantic.dataclasses import dataclass as schema
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from .augment import Augmentation, Change
from .augment.ada import ADA
from .augment.diffaugment import DiffAugment
from .data.spec import DataSpec
from .data.table.batches import Knowing
from .degrade import Degradation
from .engine.schedule import SCHEDULES, Schedule, ScheduleName
from .errors import RecipeError, suggest
from .game import Game

STRICT = ConfigDict(extra="forbid", use_attribute_docstrings=True)

Positive = Annotated[int, Gt(0)]
Batch = Annotated[int, Ge(2)]  # batch norm has no statistics of a single sample
Rate = Annotated[float, Gt(0), Le(1)]
Moment = Annotated[float, Ge(0), Lt(1)]
Auto = Literal["auto"]
Augment = Literal["auto", "none", "diffaugment", "ada"]
Conditional = Literal["never", "if_labelled", "always"]
Degrades = Callable[[Any, DataSpec], Degradation | None]
"""Of a recipe and the data: what makes the pictures that are translated, if any are made."""


@dataclass(frozen=True)
class About:
    """Where a recipe comes from and what it is good for."""

    title: str
    authors: str
    year: int
    url: str
    use: str


@dataclass(frozen=True)
class Play:
    """What a trainer needs.

    Attributes:
        game: the networks and their turns.
        optimizers: one per player.
        balanced: whether batches hold every class with the same probability.
        schedules: of the learning rates, by player.
        knowing: how much of a table's rows is known before; None of others.
    """

    game: Game[Any]
    optimizers: Mapping[str, Optimizer]
    balanced: bool = False
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    knowing: Knowing | None = None


@schema(frozen=True, kw_only=True, config=STRICT)
class Recipe(ABC):
    """Hyperparameters, and how to build the game they describe."""

    about: ClassVar[About]
    conditional: ClassVar[Conditional] = "never"
    """Whether samples can be asked for by class."""
    kinds: ClassVar[tuple[str, ...]] = ("images",)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]]
    partly_labelled: ClassVar[bool] = True
    """Whether samples without labels may be learnt from beside those with."""
    sees_through: ClassVar[str] = ""
    """Name of the feature network in the discriminator, if there is one."""
    weighs_through: ClassVar[Mapping[str, str]] = {}
    """By the field that is the weight of a loss: name of the feature network that this loss looks through."""
    degrades: ClassVar[Degrades | None] = None
    """What makes the pictures that are translated of those that are learnt from, where a recipe does so."""
    augments: ClassVar[tuple[Augment, ...]] = ("auto", "none", "diffaugment", "ada")
    """Augmentations that work with this recipe's game."""
    images_only: ClassVar[Mapping[str, tuple[Any, ...]]] = {"augment": ("diffaugment", "ada")}
    """Values of fields that do not work on rows of numbers."""
    by_heart: ClassVar[tuple[int, int] | None] = None
    """Passes over the training data, and samples, that a time is planned to at most, whichever is more."""
    unused: ClassVar[tuple[str, ...]] = ()
    """Fields of every recipe that mean nothing to this one; they are no flags of it."""

    batch: Batch = 64
    """Real samples per update."""
    latent: Positive = 100
    """Dimension of the noise."""
    augment: Augment = "none"
    """Differentiable augmentation of all that the discriminator sees, for small sets that overfit."""
    augment_most: Annotated[float, Ge(0), Le(1)] | Auto = "auto"
    """Largest probability of a change by ada."""
    without: tuple[Change, ...] = ()
    """Changes that augmentation leaves out, as they would change what a picture means; of diffaugment's
    brightness, contrast and saturation, one leaves out all."""
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    """Optimiser of every player."""
    lr_g: Rate = 2e-4
    """Learning rate of the generator."""
    lr_d: Rate = 2e-4
    """Learning rate of the discriminator."""
    beta1: Moment = 0.5
    """Decay of the mean of gradients (momentum, for rmsprop and sgd)."""
    beta2: Moment = 0.999
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "constant"
    """How the learning rates fall over the run."""
    half_life_kimg: Annotated[float, Ge(0)] | Auto = 10.0
    """Half-life of the averaged generator's memory, in thousands of samples."""

    @abstractmethod
    def build(self, spec: DataSpec) -> Play:
        """Networks, game and optimisers for data of this kind."""

    def conditions(self, spec: DataSpec) -> int:
        """How many classes samples can be asked for; 0 if none.

        A recipe that may do without labels uses them where there are two classes, and two samples of each.
        """
        usable = len(spec.classes) > 1 and min(spec.class_counts) > 1
        wanted = self.conditional == "always" or (self.conditional == "if_labelled" and usable)
        return len(spec.classes) if wanted else 0

    def degradation(self, spec: DataSpec) -> Degradation | None:
        """What makes the pictures that are translated, if they are made of those that are learnt from."""
        degrades = type(self).degrades
        return None if degrades is None else degrades(self, spec)

    @property
    def looks_through(self) -> str:
        """Name of the feature network that D or a loss looks through, which then cannot judge; or nothing."""
        weighed = [network for weight, network in self.weighs_through.items() if vars(self)[weight]]
        return next(iter(weighed), self.sees_through)

    @property
    def together(self) -> int:
        """Samples that are judged together, where a recipe packs them; parts of a batch are whole packs."""
        return vars(self).get("pack", 1)

    def play(self, game: Game[Any], *, balanced: bool = False, knowing: Knowing | None = None) -> Play:
        """A game with this recipe's optimisers and schedules."""
        players = game.players()
        rates = {name: self.lr_d if name == "D" else self.lr_g for name in players}
        optimizers = {name: self.optimize(module, rates[name]) for name, module in players.items()}
        schedules = dict.fromkeys(players, SCHEDULES[self.schedule])
        return Play(game, optimizers, balanced, schedules, knowing)

    def optimize(self, module: nn.Module, lr: float) -> Optimizer:
        """This recipe's optimiser for a player."""
        parameters = [p for p in module.parameters() if p.requires_grad]
        match self.optimizer:
            case "adam":
                return Adam(parameters, lr, (self.beta1, self.beta2), fused=True)
            case "adamw":
                return AdamW(parameters, lr, (self.beta1, self.beta2), fused=True)
            case "rmsprop":
                return RMSprop(parameters, lr, alpha=self.beta2, momentum=self.beta1)
            case "sgd":
                return SGD(parameters, lr, self.beta1, fused=True)

    def augmentation(self) -> Augmentation | None:
        """What the discriminator sees of a sample; that of auto is settled before (see `resolve`)."""
        left_out = self.without
        match self.augment:
            case "diffaugment":
                colour = not {"brightness", "contrast", "saturation"}.intersection(left_out)
                shift, cutout = 0.125 * ("shift" not in left_out), 0.5 * ("cutout" not in left_out)
                return DiffAugment(colour, shift, cutout)
            case "ada":
                most = 0.8 if self.augment_most == "auto" else self.augment_most
                return ADA(left_out, most=most)
            case "auto":
                raise RecipeError("augment is auto, which the data settle: pass the recipe through resolve.")
            case "none":
                return None


@dataclass(frozen=True)
class Choice:
    """Something that was decided, and why."""

    name: str
    value: Any
    reason: str


RECIPES: dict[str, type[Recipe]] = {}
R = TypeVar("R", bound=Recipe)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def recipe(name: str) -> Callable[[type[R]], type[R]]:
    """Make a class a strict, frozen dataclass and list it under a name."""

    def register(cls: type[R]) -> type[R]:
        if name in RECIPES:
            raise ValueError(f"two recipes are named {name!r}: {RECIPES[name]} and {cls}")
        made = cast("type[R]", schema(frozen=True, kw_only=True, config=STRICT)(cls))
        RECIPES[name] = made
        return made

    return register


def recipe_class(name: str) -> type[Recipe]:
    """The class of a named recipe.

    Raises:
        RecipeError: if there is none of that name, with a suggestion.
    """
    from . import recipes  # noqa: F401  (registers them)

    if name not in RECIPES:
        raise RecipeError(f"there is no recipe {name!r}. {suggest(name, RECIPES)} See: tenfold recipes")
    return RECIPES[name]


def recipe_name(value: Recipe) -> str:
    """The name under which a recipe is listed."""
    return next(name for name, cls in RECIPES.items() if cls is type(value))


def translates(cls: type[Recipe]) -> bool:
    """Whether a recipe makes pictures of others, and none from noise."""
    return cls.degrades is not None or bool({"pairs", "unpaired"} & {*cls.kinds})


def refuse_translator(name: str, instead: str) -> None:
    """Raises a RecipeError if a recipe makes pictures of others, where samples from noise are wanted.

    Args:
        name: of the recipe.
        instead: what to ask for instead.
    """
    if translates(recipe_class(name)):
        raise RecipeError(
            f"recipe {name!r} makes pictures of others, and none from noise, as are wanted. Use one that "
            f"does: {instead}"
        )


def make_recipe(name: str, values: Mapping[str, Any], preset: str | None = None) -> Recipe:
    """A recipe by name: defaults, then a preset, then the values given.

    Raises:
        RecipeError: if the recipe, the preset or a field is unknown, or a value is out of range.
    """
    cls = recipe_class(name)
    if preset is not None and preset not in cls.presets:
        raise RecipeError(f"recipe {name!r} has no preset {preset!r}. {suggest(preset, cls.presets)}")
    known = [f.name for f in fields(cls)]
    for key in values:
        if key not in known:
            raise RecipeError(f"recipe {name!r} has no field {key!r}. {suggest(key, known)}")
    try:
        return cls(**{**(cls.presets[preset] if preset else {}), **values})
    except ValidationError as error:
        wrong = error.errors()[0]
        inner = [str(part) for part in wrong["loc"][1:] if isinstance(part, int)]  # not a union's branches
        where = ".".join([str(wrong["loc"][0]), *inner])
        raise RecipeError(f"{name}.{where} is {wrong['input']!r}: {wrong['msg'].lower()}.") from None
