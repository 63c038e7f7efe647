"""pix2pix: one picture made of another, learnt from pairs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le, Lt

from ..augment.joint import Jointly
from ..comparing import of_pixels_and_maps
from ..data.spec import DataSpec
from ..degrade import Degradation, Grey, Holes
from ..errors import RecipeError
from ..games.translation import Adversary, Filling, OneWay, Translation
from ..nn.networks.grid import base_grid
from ..nn.networks.unet import PatchDiscriminator, UNet, patch_layers
from ..objectives import NON_SATURATING
from ..penalties import R1
from ..recipe import About, Moment, Play, Positive, Rate, Recipe, ScheduleName, recipe

DEEPEST = 8
Task = Literal["none", "colour", "holes"]


def put_back(recipe: Pix2Pix, spec: DataSpec) -> Degradation | None:
    """What makes the given picture of a single one.

    Raises:
        RecipeError: there are pairs and a task, or neither; or the task is none for such pictures.
    """
    if spec.kind == "pairs":
        if recipe.task != "none":
            raise RecipeError(
                f"--task {recipe.task} is for single pictures, and there are pairs. Leave it out."
            )
        return None
    refuse_task(recipe.task, spec.shape[0])
    match recipe.task:
        case "colour":
            return Grey()
        case "holes":
            return Holes()
        case "none":
            raise RecipeError(
                "pix2pix learns from pairs, and these are single pictures. Name both sides with --from "
                "and --to, or what shall be put back: --task colour or --task holes."
            )


def refuse_task(task: Task, channels: int) -> None:
    """Raises a RecipeError if there is nothing to put back in pictures of so many channels."""
    if task == "colour" and channels in (1, 2):
        raise RecipeError(
            "--task colour puts back colour, and these pictures are grey. Give coloured ones or another task."
        )
    if task == "holes" and channels in (2, 4):
        raise RecipeError(
            "--task holes takes what is transparent for a hole, and these pictures have their own opacity. "
            "Save them without it, as grey or RGB."
        )


@recipe("pix2pix")
class Pix2Pix(Recipe):
    """A U-Net paints, and patches are judged beside what was given; single pictures get a part put back."""

    about: ClassVar = About(
        "Image-to-Image Translation with Conditional Adversarial Networks",
        "Isola et al.",
        2016,
        "https://arxiv.org/abs/1611.07004",
        "pairs of pictures: outline to colour, map to photograph",
    )
    kinds: ClassVar = ("pairs", "images")
    degrades: ClassVar = put_back
    weighs_through: ClassVar = {"perceptual": "efficientnet-lite0"}
    augments: ClassVar = ("none",)
    unused: ClassVar = ("latent", "augment", "augment_most", "without")
    presets: ClassVar = {
        "tiny": {"width": 4, "width_d": 4, "batch": 8},
        "small": {},
        "base": {"width": 64, "width_d": 64},
        "paper": {
            "width": 64,
            "width_d": 64,
            "batch": 2,
            "dropout": 0.5,
            "resized": False,
            "penalty": 0.0,
            "zoom": 0.0,
            "lr_g": 2e-4,
            "lr_d": 2e-4,
        },
    }

    batch: Annotated[int, Ge(2)] = 16
    """Real samples per update."""
    task: Task = "none"
    """What is made of single pictures, to be put back: colour, or holes; none for pairs."""
    width: Positive = 32
    """Channels of the generator's first layer; up to eight times as many at coarse sizes."""
    width_d: Positive = 16
    """Channels of the discriminator's first layer."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Share of the two innermost layers on the way up that is dropped while training."""
    resized: bool = True
    """Whether pixels are repeated and then convolved; the paper's transposed convolutions leave dots."""
    l1: Annotated[float, Ge(0)] = 100.0
    """Weight of the mean difference of pixels."""
    perceptual: Annotated[float, Ge(0)] = 0.0
    """Weight of the difference in what EfficientNet-Lite0 sees: it then cannot judge (extra [features])."""
    matching: Annotated[float, Ge(0)] = 0.0
    """Weight of the difference in what the discriminator sees."""
    adversarial: Annotated[float, Ge(0)] = 1.0
    """Weight of what the discriminator says; 0 for none."""
    penalty: Annotated[float, Ge(0)] = 1.0
    """Weight of R1."""
    penalty_every: Positive = 8
    """Steps from one look at R1 to the next, which then counts as much more."""
    shift: Annotated[float, Ge(0), Lt(0.5)] = 0.1
    """By how much of a side both pictures are moved alike, at most."""
    zoom: Annotated[float, Ge(0), Le(1)] = 0.25
    """By how much half of the pairs are made larger or smaller, at most, each side on its own."""
    flip: bool = False
    """Whether half of the pairs are mirrored left to right; right where that means nothing else."""
    half_life_kimg: Annotated[float, Ge(0)] = 2.0
    """Half-life of the averaged generator's memory, in thousands of samples."""
    lr_g: Rate = 5e-4
    """Learning rate of the generator."""
    lr_d: Rate = 5e-4
    """Learning rate of the discriminator."""
    beta1: Moment = 0.5
    """Decay of the mean of gradients."""
    schedule: ScheduleName = "second_half"
    """How the learning rates fall over the run."""

    def build(self, spec: DataSpec) -> Play:
        """A U-Net as deep as the pictures allow, against patches."""
        degrade = self.degradation(spec)
        outputs, height, width = spec.shape
        inputs = spec.given[0] if degrade is None else given_channels(self.task, outputs)
        depth = min(max(1, base_grid(height, width).doublings), DEEPEST)
        network = UNet(inputs, outputs, self.width, depth, dropout=self.dropout, resized=self.resized)
        judge = None
        if self.adversarial:
            layers = patch_layers(spec.shape)
            judge = PatchDiscriminator(inputs + outputs, self.width_d, layers, norm="batch")
        adversary = Adversary(
            NON_SATURATING,
            self.adversarial,
            self.matching,
            penalties=[R1(self.penalty, every=self.penalty_every)] if self.penalty else [],
        )
        painter = Filling(network) if self.task == "holes" else network
        game = Translation(
            OneWay(painter, stride=network.stride),
            judge,
            comparisons=of_pixels_and_maps(self.l1, self.perceptual),
            adversary=adversary,
            moves=Jointly(self.shift, self.flip, self.zoom),
            degrade=degrade,
        )
        return self.play(game)


def given_channels(task: Task, channels: int) -> int:
    """Channels of what a degradation leaves."""
    return channels + 1 if task == "holes" else 1 + (channels == 4)
