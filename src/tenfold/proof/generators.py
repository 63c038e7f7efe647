"""Where made items come from: a recipe that is trained, a run, a folder of samples, or a function."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path

import numpy as np

from ..errors import DataError, RecipeError, RunError
from ..recipe import recipe_class, refuse_translator
from ..run import Run
from ..tables.labelled import imported_pandas
from .arms import Examples
from .given import Given, open_samples
from .order import Generator, Made, Make, Order
from .task import Task
from .trained import Trained

FEWEST = 0.5  # of what is wanted of each class


@dataclass(frozen=True)
class Called:
    """A function that makes items from the training items of a split.

    Attributes:
        function: see `Make`.
    """

    function: Make

    @property
    def trains(self) -> bool:
        """Whether it takes the time that it is given."""
        return False

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"the function {getattr(self.function, '__name__', 'given')}"

    @property
    def single(self) -> bool:
        """Whether all splits draw from one generator."""
        return False

    @property
    def fingerprint(self) -> str:
        """Changes when the function's source does."""
        return blake2b(source_text(self.function).encode(), digest_size=8).hexdigest()

    def make(self, order: Order) -> Made:
        """Call the function.

        Raises:
            DataError: what it gave is not like the training items.
        """
        classes = order.task.classes
        given = self.function(
            order.values.copy(), order.labels.copy(), classes, order.counts.copy(), order.seed
        )
        values, labels = np.asarray(given[0]), np.asarray(given[1])
        shape = order.task.values.shape[1:]
        if values.shape[1:] != shape or labels.shape != values.shape[:1] or len(labels) == 0:
            raise DataError(
                f"{self.words} gave values of shape {values.shape} and labels of shape {labels.shape}; "
                f"(n, {', '.join(map(str, shape))}) and (n) were expected. Correct it."
            )
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= len(classes):
            raise DataError(f"{self.words} gave labels that are not numbers from 0 to {len(classes) - 1}.")
        refuse_values(values, order, self.words)
        refuse_too_few(labels, order, self.words)
        encoded = order.encoding.encode(values.astype(order.task.values.dtype, copy=False))
        return Made(Examples(encoded, labels.astype(np.int64)), {})


def refuse_values(values: np.ndarray, order: Order, words: str) -> None:
    """Raises a DataError if values are of another type or range, or missing where training items are not."""
    own = order.values
    if own.dtype.kind == "u":
        top = np.iinfo(own.dtype).max
        if values.dtype.kind not in "iu" or values.min() < 0 or values.max() > top:
            raise DataError(
                f"{words} gave pictures of type {values.dtype} with values from {values.min():g} to "
                f"{values.max():g}; {own.dtype} from 0 to {top} was expected, as in the data. Convert them."
            )
        return
    if values.dtype.kind not in "fiu":
        raise DataError(f"{words} gave values of type {values.dtype}; numbers were expected. Convert them.")
    allowed = np.isnan(own).any(0) if order.task.kind == "table" else np.zeros(own.shape[1:], bool)
    wrong = ~np.isfinite(values) & ~(np.isnan(values) & allowed)
    if wrong.any():
        raise DataError(
            f"{words} gave {int(wrong.sum())} values that are not finite (first: item "
            f"{int(np.argwhere(wrong)[0][0])}); finite ones were expected, or NaN in a column of a table "
            "where training items lack some. Correct it."
        )


def refuse_too_few(labels: np.ndarray, order: Order, words: str) -> None:
    """Raises a DataError if a class has less than half of what was wanted."""
    found = np.bincount(labels, minlength=len(order.counts))
    few = np.flatnonzero(found < FEWEST * order.counts)
    if len(few):
        name = order.task.classes[few[0]]
        raise DataError(
            f"{words} gave {found[few[0]]} items of the class {name!r}, and {order.counts[few[0]]} were "
            "wanted (see `counts`). Let it make as many."
        )


def source_text(function: object) -> str:
    """What a function does, as text: its source, or what stands for it where there is none."""
    if isinstance(function, partial):
        parts = (source_text(function.func), repr(function.args), repr(sorted(function.keywords.items())))
        return "\n".join(parts)
    kind = function if inspect.isroutine(function) else type(function)
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        name = f"{kind.__module__}.{getattr(kind, '__qualname__', '')}"
        return name if code is None else name + code.co_code.hex() + repr(code.co_names)


DEFAULTS = {"images": "cgan", "vectors": "mlp", "table": "tabular"}
"""By the kind of data, what is trained if nothing is said."""
TAKEN = {"images": {"images"}, "vectors": {"vectors", "table"}, "table": {"table", "vectors"}}
"""By the kind of data, what they can be taken for; where rows are vectors, they are encoded before."""


def default_recipe(task: Task) -> str:
    """What is trained if nothing is said."""
    return DEFAULTS[task.kind]


def refuse_recipe(name: str, task: Task) -> None:
    """Refuse a recipe that cannot be trained on the task.

    Raises:
        RecipeError: it cannot make labelled items of this kind.
        MissingExtra: it needs an optional part that is not installed.
    """
    refuse_translator(name, f"--generator {default_recipe(task)}")
    cls = recipe_class(name)
    if not TAKEN[task.kind] & {*cls.kinds}:
        raise RecipeError(
            f"recipe {name!r} takes {' or '.join(cls.kinds)}, the data are {task.kind}. Use: --generator "
            f"{default_recipe(task)}"
        )
    if "table" in cls.kinds:
        imported_pandas()
    if task.kind == "images" and cls.conditional == "never":
        raise RecipeError(
            f"recipe {name!r} cannot be asked for a class, so what it makes has no labels. Use one that can: "
            "--generator cgan"
        )


def choose_generator(
    given: str | Path | Run | Make | None, task: Task, judging: np.ndarray, device: str
) -> Generator:
    """The generator that is meant.

    Args:
        given: a recipe's name, a folder of samples, a run, a function, or None for the default recipe.
        task: what it shall make items for.
        judging: values of all items that judge in some split.
        device: where a recipe is trained.

    Raises:
        RecipeError, DataError, RunError: it is none, or does not suit the data.
        MissingExtra: it needs an optional part that is not installed.
    """
    if given is None:
        refuse_recipe(default_recipe(task), task)
        return Trained(default_recipe(task), device)
    if (run := run_of(given)) is not None:
        refuse_run(run, task)
        return Given(run)
    if callable(given):
        return Called(given)
    assert isinstance(given, str | Path)
    if Path(given).exists():
        return open_samples(given, task, judging)
    refuse_recipe(str(given), task)
    return Trained(str(given), device)


def refuse_run(run: Run, task: Task) -> None:
    """Raises a RunError if a run is given beside a table, of which it may have seen any row."""
    if task.kind == "table":
        raise RunError(
            f"{run.path} may have seen any row of {task.source}, and those that judge are among these. Give "
            f"the recipe's name, which is trained anew in each split: --generator {run.facts['recipe']}"
        )


def run_of(given: str | Path | Run | Make | None) -> Run | None:
    """The run that is meant, if it is one."""
    if isinstance(given, str | Path):
        return Run(given) if (Path(given) / "run.json").is_file() else None
    return None if given is None or callable(given) else given
