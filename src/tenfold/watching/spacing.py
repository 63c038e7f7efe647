"""When a run is looked at: a last stage of its own kind has half as many looks as are planned, at least."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from ..engine.trainer import Trainer
from ..game import Game


def last_share(game: Game[Any]) -> float:
    """Share of the run that is a last stage of which nothing before it says anything; 1 without one."""
    return 1 - game.stages[-1] if game.anew is not None and game.stages else 1.0


def late_looks(game: Game[Any], planned: int) -> int:
    """Looks at that stage: half of those planned, at least.

    Args:
        game: that is played.
        planned: looks over the run, if they were equally far from each other.
    """
    return max(ceil(planned * last_share(game)), ceil(planned / 2))


def all_looks(game: Game[Any], planned: int) -> int:
    """Looks over the run."""
    return int(planned * (1 - last_share(game))) + late_looks(game, planned)


def looks_left(game: Game[Any], planned: int, made: int) -> int:
    """Looks to come after so many; there are none before G learns."""
    return all_looks(game, planned) + 1 - max(made, int(planned * game.starts), 1)


def spacing(game: Game[Any], planned: int, samples: int, size: int) -> tuple[int, int]:
    """Samples between two looks, and between two of that stage.

    Args:
        game: that is played.
        planned: looks over the run, if they were equally far from each other.
        samples: of the run.
        size: of a batch.
    """
    late = int(samples * last_share(game) / late_looks(game, planned))
    return max(samples // planned, size), max(late, size)


def when_late(act: Callable[[Trainer], None]) -> Callable[[Trainer], None]:
    """The same, done in that stage alone."""

    def acting(trainer: Trainer) -> None:
        game = trainer.game
        if game.anew is not None and game.stages and trainer.stage == game.stages[-1]:
            act(trainer)

    return acting
