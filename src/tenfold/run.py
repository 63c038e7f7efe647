"""A run: the folder that training leaves, and what can be done with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import yaml
from numpy import ndarray

from .data import Codec
from .data.records import tuples
from .data.spec import DataSpec
from .engine.checkpoint import State, finished, part, read_state
from .errors import RecipeError, RunError, suggest
from .game import Game, Sampler
from .recipe import Recipe, make_recipe, recipe_class
from .records import record, spec_of
from .samples import Samples
from .watching.quality import BLOCK, best_state, generate

if TYPE_CHECKING:
    from .data.series.codec import SeriesCodec
    from .data.table.cells import TableCodec
    from .data.texts.codec import TextCodec
    from .judging import Found
    from .words.drawing import Drawn


class Run:
    """A finished, interrupted or running training, read from its folder; no training code is needed.

    Args:
        path: the folder.

    Raises:
        RunError: if there is no run there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not (self.path / "run.json").is_file():
            raise RunError(
                f"{self.path} is no run: it has no run.json. Give the folder that fit wrote (--out)."
            )
        self.facts = record(self.path / "run.json", json.loads, ("recipe", "spec", "codec", "planned"))

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, recipe={self.facts['recipe']!r}, classes={len(self.spec.classes)})"

    @property
    def kind(self) -> str:
        """Of the data; empty if the record does not say."""
        return self.facts["spec"].get("kind", "")

    @cached_property
    def spec(self) -> DataSpec:
        """What the recipe knew of the data."""
        return spec_of(self.facts["spec"])

    @cached_property
    def codec(self) -> Codec:
        """How samples become files."""
        return Codec.from_json(self.facts["codec"])

    @cached_property
    def table(self) -> TableCodec:
        """How samples become rows of a table.

        Raises:
            RunError: they do not.
        """
        from .data.table.cells import TableCodec
        from .data.table.frames import need_pandas

        need_pandas()
        found = self.facts.get("table")
        if found is None:
            raise RunError(f"{self.path} was not trained on a table, but on {self.spec.kind}.")
        return TableCodec.from_json(found)

    @cached_property
    def series(self) -> SeriesCodec:
        """How samples become series.

        Raises:
            RunError: they do not.
        """
        from .data.series.codec import SeriesCodec

        found = self.facts.get("series")
        if found is None:
            raise RunError(f"{self.path} was not trained on series, but on {self.spec.kind}.")
        return SeriesCodec.from_json(found)

    @cached_property
    def texts(self) -> TextCodec:
        """How samples become texts, or captions tokens.

        Raises:
            RunError: they do not.
        """
        from .data.texts.codec import TextCodec

        found = self.facts.get("texts")
        if found is None:
            raise RunError(f"{self.path} was not trained on texts, but on {self.spec.kind}.")
        return TextCodec.from_json(found)

    @property
    def source_texts(self) -> TextCodec:
        """How texts that others are made of become tokens.

        Raises:
            RunError: there are none.
        """
        if self.texts.source is None:
            raise RunError(f"{self.path} makes texts of nothing that is given. Use tenfold sample.")
        return self.texts.source

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe, every field as it was resolved."""
        found = record(self.path / "recipe.yaml", yaml.safe_load, ("recipe", "fields"))
        try:
            recipe_class(found["recipe"])
        except RecipeError as error:
            raise RunError(
                f"{self.path} was trained with recipe {found['recipe']!r}, which is none of tenfold's. If it "
                "is your own, import its module in Python first, then use tenfold.load."
            ) from error
        return make_recipe(found["recipe"], tuples(found["fields"]))

    @cached_property
    def given_codec(self) -> Codec:
        """How pictures that are translated become tensors.

        Raises:
            RunError: it translates none.
        """
        found = self.facts.get("given_codec")
        if found is None:
            raise RunError(
                f"{self.path} translates nothing: its recipe is {self.facts['recipe']!r}. Use tenfold sample."
            )
        return Codec.from_json(found)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that can be asked for; none for an unconditional recipe."""
        return self.spec.classes if self.recipe.conditions(self.spec) else ()

    @cached_property
    def sampler(self) -> Sampler:
        """The best averaged sampler; where none was chosen, the last."""
        sampler: Sampler = self.recipe.build(self.spec).game.sampler
        best = best_state(self.path)
        weights = best.tensors if best else part(self.checkpoint().tensors, "ema.")
        sampler.load_state_dict(dict(weights))
        return sampler.eval().requires_grad_(False)

    def game(self) -> Game[Any]:
        """The whole game as the last checkpoint has it, in evaluation mode."""
        game = self.recipe.build(self.spec).game
        game.load_state_dict(part(self.checkpoint().tensors, "game."))
        return game.eval().requires_grad_(False)

    def checkpoint(self) -> State:
        """The state of the last checkpoint."""
        found = finished(self.path / "checkpoints")
        if not found:
            raise RunError(f"{self.path} has no checkpoint yet. Wait for the first, or start the run anew.")
        return read_state(found[-1])

    def sample_remaining(self, known: Any, *, seed: int = 0) -> Any:  # noqa: ANN401
        """Rows of a table of which some columns are given, in their order; the others are made.

        Args:
            known: a frame with some of the columns; what is missing in it is made, too.
            seed: of what is made.
        """
        from .tables.completing import sample_remaining

        return sample_remaining(self, known, seed=seed)

    def sample(
        self,
        n: int,
        *,
        label: str | int | None = None,
        conditions: Mapping[str, Any] | None = None,
        balance: str | None = None,
        raw: bool = False,
        text: str | Sequence[str] | None = None,
        seed: int = 0,
        first: int = 0,
    ) -> Any:  # noqa: ANN401
        """Make samples: number i of a set is a function of the run, the seed, what is asked and i alone.

        Args:
            n: how many.
            label: the name of the class asked for, of a table the target's; None lets the classes take turns.
            conditions: on columns of a table: a value, a list of values of which one is to be, or the two
                ends of a range.
            balance: column of a table, each category of which comes up equally often.
            raw: what a table's generator itself made of the cells that are known, to judge it by.
            text: what pictures shall show, of a run that learnt from captions; n of each text.
            seed: of the set.
            first: number of the first sample.

        Returns:
            Samples; of a table or of series, what the data came in: a frame of pandas or polars, or an array;
            of a file, one of pandas; texts as a list.

        Raises:
            RunError: if something is asked for that no sample can have.
        """
        if self.facts.get("table") is None:
            self.refuse_columns(conditions, balance, raw)
            return self.sample_others(n, label, text, seed=seed, first=first)
        from .tables.conditions import with_label
        from .tables.sampling import sample_table

        asked = with_label(self, dict(conditions or {}), label)
        return sample_table(self, n, conditions=asked, balance=balance, seed=seed, first=first, raw=raw)

    def sample_others(
        self, n: int, label: str | int | None, text: str | Sequence[str] | None, *, seed: int, first: int
    ) -> Any:  # noqa: ANN401
        """The same of what is no table: pictures, of captions or not, series, texts."""
        if text is not None or self.kind == "captioned":
            if label is not None:
                raise RunError(f"label {label!r} was asked for, and captions say what to draw. Leave it out.")
            return self.draw(text or (), n, seed=seed, first=first)
        if self.kind in ("texts", "text_pairs"):
            return self.write(n, label=label, seed=seed, first=first)
        made = self.samples(n, label=label, seed=seed, first=first)
        return made if self.facts.get("series") is None else self.as_series(made)

    def write(
        self,
        n: int,
        *,
        label: str | int | None = None,
        temperature: float = 1.0,
        prefix: str = "",
        seed: int = 0,
        first: int = 0,
    ) -> list[str]:
        """Texts of a run that learnt from texts (see `sample`).

        Args:
            n: how many.
            label: the name of the class asked for; None lets the classes take turns.
            temperature: below 1 likely tokens are likelier, at 0 the likeliest is taken.
            prefix: what every text begins with.
            seed: of the set.
            first: number of the first text.
        """
        from .words.writing import write_texts

        asked = None if label is None else str(label)
        return write_texts(
            self, n, label=asked, temperature=temperature, prefix=prefix, seed=seed, first=first
        )

    def draw(self, text: str | Sequence[str], n: int = 8, *, seed: int = 0, first: int = 0) -> Drawn:
        """Pictures of what is said, n of each text, of a run that learnt from captions."""
        from .words.drawing import pictures_of

        return pictures_of(self, text, n, seed=seed, first=first)

    def translate(self, texts: Sequence[str], *, beam: int = 4) -> list[str]:
        """Texts made of others, in their order, of a run that learnt from pairs of texts."""
        from .words.translating import translate_texts

        return list(translate_texts(self, texts, beam=beam).texts)

    def as_series(self, made: Samples) -> Any:  # noqa: ANN401
        """Samples in what the series came in: a long frame, or an array with a row per series."""
        codec = self.series
        found = codec.frame_of(codec.series_of(made.numpy(), made.labels), made.first)
        if codec.container is None or isinstance(found, ndarray):
            return found
        return codec.container.restore(found)

    @property
    def target(self) -> str:
        """Name of the column that is to be predicted from the others.

        Raises:
            RunError: none was named.
        """
        name = self.table.spec.target
        if name is None:
            raise RunError(f"{self.path} has no target. Name columns: conditions={{column: value}}")
        return name

    def refuse_columns(self, conditions: Mapping[str, Any] | None, balance: str | None, raw: bool) -> None:
        """Raises a RunError if something is asked of the columns of what is no table."""
        if conditions or balance or raw:
            raise RunError(
                f"{self.path} was trained on {self.spec.kind}, which have no columns. Leave them out."
            )

    def samples(self, n: int, *, label: str | int | None = None, seed: int = 0, first: int = 0) -> Samples:
        """The same of what is no table.

        Args:
            n: how many.
            label: the name of the class asked for; None lets the classes take turns.
            seed: of the set.
            first: number of the first sample.

        Raises:
            RunError: if the label is unknown, the run cannot be asked for labels, or it translates.
        """
        if n < 1 or first < 0:
            raise RunError(f"{n} samples from number {first} were asked for; at least 1 from 0 was expected.")
        if self.facts.get("texts") is not None:
            raise RunError(f"{self.path} learnt from words. Use sample, write, draw or translate.")
        start = first // BLOCK * BLOCK
        numbers = torch.arange(start, -(-(first + n) // BLOCK) * BLOCK)
        labels = self.labels_of(numbers, None if label is None else str(label))
        blocks = [
            generate(self.sampler, None if labels is None else labels[i : i + BLOCK], seed, start + i)
            for i in range(0, len(numbers), BLOCK)
        ]
        mine = slice(first - start, first - start + n)
        chosen: ndarray | None = None if labels is None else labels[mine].numpy()
        return Samples(torch.cat(blocks)[mine], chosen, self.classes, self.codec, first, seed)

    def labels_of(self, numbers: torch.Tensor, label: str | None) -> torch.Tensor | None:
        """The class of each sample, by its number.

        Raises:
            RunError: as for `sample`.
        """
        if self.facts.get("given_codec") is not None:
            raise RunError(
                f"{self.path} makes pictures of others and none from noise: its recipe is "
                f"{self.facts['recipe']!r}. Use: tenfold translate {self.path} IN OUT"
            )
        if label is None:
            return numbers % len(self.classes) if self.classes else None
        if not self.classes:
            raise RunError(
                f"label {label!r} was asked for, but recipe {self.facts['recipe']!r} knows no labels. Leave "
                "--label out, or train a conditional recipe: --recipe r3gan"
            )
        if label not in self.classes:
            raise RunError(f"there is no class {label!r}. {suggest(label, self.classes)}")
        return torch.full_like(numbers, self.classes.index(label))

    def dataset(self, n: int = 1000, *, label: str | int | None = None, seed: int = 0) -> Samples:
        """n samples as a torch Dataset of (picture in [-1, 1], class number)."""
        return self.samples(n, label=label, seed=seed)

    def evaluate(
        self,
        *,
        data: Any = None,  # noqa: ANN401
        holdout: str | Path | None = None,
        features: str | None = None,
    ) -> Found:
        """How good the samples are: every metric beside what fresh real samples get, and what it means.

        Args:
            data: what it was trained on, if that was in memory.
            holdout: real samples to judge by, instead of those that were held out of the data; not of series.
            features: the name of a feature network; the best, if not given; not of rows, series or pairs.
        """
        from .evaluating import evaluate

        return evaluate(self, real=data, holdout=holdout, features=features)

    def summary(self) -> dict[str, Any]:
        """What a person asks first."""
        best = best_state(self.path)
        return {
            "run": str(self.path),
            "recipe": self.facts["recipe"],
            "seen": self.facts.get("seen", 0),
            "planned": self.facts["planned"],
            "classes": list(self.classes),
            "best": dict(best.facts) if best else None,
            "reference": self.facts.get("reference"),
            "health": self.facts.get("health"),
        }


def load(path: str | Path) -> Run:
    """Open the folder of a run."""
    return Run(path)
