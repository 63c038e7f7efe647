"""Judging what is no picture: tables, series, texts; and pictures with captions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .data.options import DEFAULTS, LoadOptions
from .data.table.frames import is_table
from .data.texts.places import is_texts
from .errors import DataError, RunError
from .metrics.features import Features
from .run import Run
from .watching.progress import Say

if TYPE_CHECKING:
    from .evaluation import Evaluation
    from .tables.evaluating import TableEvaluation
    from .tables.series import SeriesEvaluation
    from .words.evaluating import TextEvaluation
    from .words.evaluating_pairs import PairsEvaluation

    Found = Evaluation | TableEvaluation | SeriesEvaluation | TextEvaluation | PairsEvaluation

MOST = 10_000


@dataclass(frozen=True)
class Looking:
    """How samples are looked at.

    Attributes:
        features: the name of a feature network, or features; the best there are, if not given.
        most: samples of a side.
        seed: of made samples, and of every choice.
        say: told what is being done.
    """

    features: str | Features | None
    most: int
    seed: int
    say: Say

    @property
    def named(self) -> str | None:
        """The features' name.

        Raises:
            RunError: features themselves were given, which are for pictures.
        """
        if self.features is None or isinstance(self.features, str):
            return self.features
        raise RunError("features were given that are for pictures. Give a name, or leave them out.")


def of_other_kind(run: Run | None, real: Any, fake: Any, holdout: str | None, how: Looking) -> Found | None:  # noqa: ANN401
    """What is found of a run, or of files, that are of no pictures; None if they are.

    Args:
        run: whose samples are judged, or
        real, fake: files, or of a run what it was trained on, if that was in memory.
        holdout: a file of real samples that were not learnt from.
        how: they are looked at.
    """
    if run is not None and fake is None:
        return of_other_run(run, real, holdout, how)
    if run is None and real is not None and fake is not None and is_texts(real):
        from .words.evaluating import evaluate_text_files

        return evaluate_text_files(real, fake, holdout, how.most, how.seed, how.named, how.say)
    if run is None and real is not None and fake is not None and is_table(real):
        refuse_features(how.features, str(real))
        return evaluate_tables(real, fake, LoadOptions(holdout=holdout, seed=how.seed), how.most, how.say)
    return None


def evaluate_tables(
    real: str | Path,
    fake: str | Path,
    options: LoadOptions = DEFAULTS,
    most: int = MOST,
    say: Say = lambda text: None,
) -> TableEvaluation:
    """Judge rows of any generator, where more is known of the table than its rows.

    Args:
        real: rows that the generator may have seen.
        fake: what it made.
        options: hold-out, target, spec and seed are read.
        most: rows of a side that are looked at.
        say: told what is being done.

    Raises:
        DataError: these are no tables, cannot be read, or do not match.
    """
    if not is_table(real) and Path(real).exists():
        raise DataError(
            f"{real} is no table: a file such as .csv was expected. Name one, or leave out what is about "
            "columns (--target, --spec)."
        )
    from .tables.evaluating import evaluate_files

    return evaluate_files(str(real), str(fake), options, most, say)


def refuse_features(features: str | Features | None, what: str) -> None:
    """Raises a RunError if features are named where nothing is looked at through them."""
    if features is not None:
        name = features if isinstance(features, str) else features.name
        raise RunError(
            f"--features {name} was given, and {what} holds rows, series or pairs of texts, which are judged "
            "as they are. Leave it out."
        )


def of_other_run(run: Run, data: Any, holdout: str | None, how: Looking) -> Found | None:  # noqa: ANN401
    """The same of a run.

    Raises:
        RunError: a hold-out, or data, are given that are not read.
    """
    kind = run.spec.kind
    if data is not None and kind == "captioned":
        raise RunError("--real was given beside a run, whose own data judge. Leave it out.")
    if kind in ("series", "table", "text_pairs"):
        refuse_features(how.features, str(run.path))
    if holdout is not None and kind in ("series", "text_pairs", "captioned"):
        raise RunError(f"--holdout is not read of {kind}: a run has its own. Leave it out.")
    if kind == "series":
        from .tables.series import evaluate_series

        return evaluate_series(run, how.seed, how.say, data, how.most)
    if kind == "table":
        from .tables.evaluating import evaluate_run

        return evaluate_run(run, holdout, how.most, how.seed, how.say, data)
    return of_words(run, data, holdout, how)


def of_words(run: Run, data: Any, holdout: str | None, how: Looking) -> Found | None:  # noqa: ANN401
    """The same of texts, of texts made of others, and of pictures with captions."""
    match run.spec.kind:
        case "texts":
            from .words.evaluating import evaluate_texts

            return evaluate_texts(run, holdout, how.most, how.seed, how.named, how.say, data)
        case "text_pairs":
            from .words.evaluating_pairs import evaluate_text_pairs

            return evaluate_text_pairs(run, how.most, how.seed, say=how.say, data=data)
        case "captioned":
            from .words.captions_evaluating import evaluate_captions

            return evaluate_captions(run, features=how.features, most=how.most, seed=how.seed, say=how.say)
        case _:
            return None
