"""A language model: no GAN, the baseline that every GAN of texts has to better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Lt
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from ..data.spec import DataSpec
from ..data.texts.layout import TextLayout
from ..errors import RecipeError
from ..games.language import LanguageModel, TextSampler, alphabet
from ..nn.networks.language import (
    LanguageNetwork,
    LSTMLanguage,
    RelationalLanguage,
    TransformerLanguage,
    scatter,
)
from ..recipe import (
    About,
    Augment,
    Auto,
    Moment,
    Play,
    Positive,
    Rate,
    Recipe,
    Schedule,
    ScheduleName,
    recipe,
)

Weight = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Lt(1)]
Kind = Literal["lstm", "transformer", "relational"]


@recipe("lm")
class LM(Recipe):
    """Each token is learnt to be likely after those before it; the best by held-out texts is kept.

    Preset paper is the first stage of SeqGAN as published, on 10,000 texts for 120 passes over them (--kimg
    1200): long after held-out texts are at their likeliest. As of all runs, the best by held-out texts is
    what is sampled from; what was published is the last.
    """

    about: ClassVar = About(
        "A Neural Probabilistic Language Model",
        "Bengio et al.",
        2003,
        "https://www.jmlr.org/papers/v3/bengio03a.html",
        "texts; no GAN: the baseline beside one, and hard to beat",
    )
    conditional: ClassVar = "if_labelled"
    partly_labelled: ClassVar = False
    kinds: ClassVar = ("texts",)
    augments: ClassVar[tuple[Augment, ...]] = ("none",)
    unused: ClassVar = ("latent", "augment", "augment_most", "without", "lr_d")
    presets: ClassVar = {
        "tiny": {"embedding": 8, "hidden": 16, "dropout": 0.0, "batch": 8},
        "small": {},
        "base": {"network": "transformer", "hidden": 256, "depth": 4, "heads": 8, "lr_g": 5e-4},
        "paper": {
            "embedding": 32,
            "hidden": 32,
            "spread": 0.1,
            "dropout": 0.0,
            "lr_g": 0.01,
            "beta2": 0.999,
            "schedule": "constant",
            "half_life_kimg": 0.0,
        },
    }

    network: Literal["lstm", "transformer"] = "lstm"
    """An LSTM, or a causal Transformer."""
    embedding: Positive = 64
    """Dimension of the LSTM's vectors of tokens; what the next token is told from has it, too."""
    hidden: Positive = 256
    """Units of the LSTM, or width of the Transformer."""
    depth: Positive = 1
    """Layers."""
    heads: Positive = 4
    """Heads of the Transformer's attention; they divide its width."""
    spread: Weight = 0.0
    """Standard deviation of all weights at first; 0 for what suits each layer."""
    dropout: Share = 0.2
    """Share of the features that is left out while learning."""
    clip: Weight = 5.0
    """Largest norm of the gradient; 0 for any."""
    lr_g: Rate = 3e-3
    """Learning rate."""
    beta1: Moment = 0.9
    """Decay of the mean of gradients."""
    beta2: Moment = 0.99
    """Decay of the mean of squared gradients."""
    schedule: ScheduleName = "cosine"
    """How the learning rate falls over the run."""
    half_life_kimg: Weight | Auto = "auto"
    """Half-life of the averaged network's memory, in thousands of texts."""

    def build(self, spec: DataSpec) -> Play:
        """A network, of one player."""
        layout = text_layout("lm", spec)
        body = Body(self.network, self.embedding, self.hidden, self.depth, self.heads)
        network = language_network(layout, body, self.conditions(spec), self.spread)
        play = self.play(LanguageModel(TextSampler(network, layout.length), self.dropout))
        bound_gradients(play.optimizers.values(), self.clip)
        return play


@dataclass(frozen=True)
class Body:
    """What a network of texts consists of: see the fields of the same names."""

    kind: Kind
    embedding: int
    hidden: int
    depth: int
    heads: int
    slots: int = 1


def text_layout(name: str, spec: DataSpec) -> TextLayout:
    """How texts lie before networks.

    Args:
        name: of the recipe that wants to know.
        spec: what is known of the data.

    Raises:
        RecipeError: the data are no texts.
    """
    if spec.kind != "texts" or spec.text is None:
        raise RecipeError(
            f"recipe {name!r} learns from texts, and the data are {spec.kind}. Choose another: "
            "tenfold recipes"
        )
    return spec.text


def language_network(
    layout: TextLayout, body: Body, classes: int = 0, spread: float = 0.0
) -> LanguageNetwork:
    """A network that says which token comes next.

    Args:
        layout: of a text.
        body: what it consists of.
        classes: number of classes; 0 for none.
        spread: standard deviation of all weights at first; 0 for what suits each layer.

    Raises:
        RecipeError: the heads do not divide the width.
    """
    tokens, wide = alphabet(layout), {"embedding": body.embedding, "hidden": body.hidden}
    if body.kind != "lstm" and body.hidden % body.heads:
        raise RecipeError(
            f"hidden is {body.hidden}, which {body.heads} heads do not divide. Choose a multiple of these."
        )
    network: LanguageNetwork
    match body.kind:
        case "lstm":
            network = LSTMLanguage(tokens, **wide, depth=body.depth, classes=classes)
        case "transformer":
            network = TransformerLanguage(
                tokens, layout.length, width=body.hidden, depth=body.depth, heads=body.heads, classes=classes
            )
        case "relational":
            network = RelationalLanguage(tokens, **wide, slots=body.slots, heads=body.heads, classes=classes)
    if spread:
        scatter(network, spread)
    return network


def bound_gradients(optimizers: Iterable[Optimizer], most: float) -> None:
    """Let optimisers shorten gradients that are longer than so much; 0 for none."""

    def shorten(optimizer: Optimizer, args: Any, kwargs: Any) -> None:  # noqa: ANN401
        clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], most)

    for optimizer in optimizers:
        if most:
            optimizer.register_step_pre_hook(shorten)


@dataclass(frozen=True)
class Staged:
    """A learning rate that falls over the first stage, and then is as large as another.

    Attributes:
        first: how it falls.
        until: share of the run at which the stage ends.
        then: by what the rate is multiplied from there on.
    """

    first: Schedule
    until: float
    then: float

    def __call__(self, progress: float) -> float:
        """The factor at a share of the run."""
        return self.first(progress / self.until) if progress < self.until else self.then


def one_each(kernels: tuple[int, ...], filters: tuple[int, ...]) -> tuple[int, ...]:
    """How many patterns there are of each width: one number holds of all.

    Raises:
        RecipeError: there are more or fewer numbers than widths.
    """
    if not kernels or len(filters) not in (1, len(kernels)):
        raise RecipeError(
            f"there are {len(kernels)} kernels and {len(filters)} numbers of filters. Give a kernel at "
            "least, and one number for all or one for each."
        )
    return filters * (len(kernels) // len(filters))
