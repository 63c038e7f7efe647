"""What a table came in: remembered, so that what is made goes out in the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import MissingExtra
from ..records import tuples

if TYPE_CHECKING:
    import pandas as pd

Name = str | int
Fields = tuple[tuple[str, str], ...]
"""Name and type of each field of a structured array."""


@dataclass(frozen=True)
class Container:
    """What a table came in.

    Attributes:
        kind: "pandas", "polars", "numpy", "mapping", or of a file: "csv", "parquet", "excel" or "json".
        columns: their names there, in order; inside they are text without blanks around it.
        dtypes: types of the columns there, as text.
        index: "range" if rows were only numbered, "other" if they had names or values of their own.
        index_name: of pandas; made rows are numbered, under the same name.
        numpy: type of an array, or of each field of one with fields; None of others.
        delimiter: between the fields of a text file.
    """

    kind: str
    columns: tuple[Name, ...]
    dtypes: tuple[str, ...]
    index: str = "range"
    index_name: Name | None = None
    numpy: str | Fields | None = None
    delimiter: str = ","

    def to_json(self) -> dict[str, Any]:
        """The fields, as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Container:
        """The container that `to_json` described."""
        found = tuples(fields)
        if isinstance(found["numpy"], tuple):
            found["numpy"] = tuple((str(name), str(dtype)) for name, dtype in found["numpy"])
        return cls(**found)

    def delimiter_in(self, path: Path) -> str:
        """What separates fields in a text file that rows go out to: as it was, where a .csv came in."""
        if path.suffix.lower() == ".tsv":
            return "\t"
        return self.delimiter if self.kind == "csv" and self.delimiter != "\t" else ","

    def restore(self, df: pd.DataFrame) -> Any:  # noqa: ANN401
        """A frame of the same columns, or of some of them, in what the table came in.

        Args:
            df: as it is inside. Columns that the table had not come last.

        Returns:
            A frame of pandas or polars, an array or a mapping of arrays; of a file, a frame of pandas.

        Raises:
            MissingExtra: polars is not installed.
        """
        import pandas as pd

        frame = self.named(df)
        frame.index = pd.RangeIndex(len(frame), name=self.index_name)
        return _RESTORE.get(self.kind, _as_it_is)(self, frame)

    def named(self, df: pd.DataFrame) -> pd.DataFrame:
        """A frame with columns in the table's own order, called as they are there."""
        names = dict(zip(inside_names(self.columns), self.columns, strict=True))
        order = [name for name in names if name in df.columns]
        order += [name for name in df.columns if name not in names]
        return df[order].set_axis([names.get(name, name) for name in order], axis=1)


def inside_names(columns: Sequence[Any]) -> list[str]:
    """Names of columns as they are inside: text, without blanks around it where that tells them apart.

    Example:
        >>> inside_names([" age", 1]), inside_names(["a", "a "])
        (['age', '1'], ['a', 'a '])
    """
    stripped = [str(name).strip() for name in columns]
    return stripped if len(set(stripped)) == len(stripped) else [str(name) for name in columns]


def _as_it_is(container: Container, frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def _as_polars(container: Container, frame: pd.DataFrame) -> Any:  # noqa: ANN401
    try:
        import polars as pl
    except ImportError as error:
        raise MissingExtra("Frames of polars", "tables") from error
    known = dict(zip(container.columns, container.dtypes, strict=True))
    types: dict[Any, Any] = {
        str(name): _polars_type(known[name], frame[name]) for name in frame.columns if name in known
    }
    return pl.from_pandas(frame).cast(types)


def _polars_type(text: str, series: pd.Series[Any]) -> Any:  # noqa: ANN401
    """The type of polars that was written as text."""
    import polars as pl

    head = text.partition("(")[0]
    if head == "Enum":
        return pl.Enum(series.cat.categories.tolist())
    if head == "Decimal":
        digits = [int(number) for number in re.findall(r"\d+", text)]
        return pl.Decimal(*digits[-2:]) if len(digits) > 1 else pl.Decimal(None, *digits)
    unit = re.search(r"time_unit='(\w+)'", text)
    if head == "Duration" and unit is not None:
        return pl.Duration(unit[1])  # pyright: ignore[reportArgumentType]
    if head == "Datetime" and unit is not None:
        zone = re.search(r"time_zone='([^']+)'", text)
        return pl.Datetime(unit[1], None if zone is None else zone[1])  # pyright: ignore[reportArgumentType]
    return getattr(pl, head)


def _as_array(container: Container, frame: pd.DataFrame) -> np.ndarray:
    if isinstance(container.numpy, tuple):
        fields = [(name, dtype) for name, dtype in container.numpy if name in frame.columns]
        rows = np.empty(len(frame), dtype=fields)
        for name, _ in fields:
            rows[name] = frame[name].to_numpy()
        return rows
    dtype = np.dtype(container.numpy or np.float64)
    if dtype.kind in "biuf":
        return frame.to_numpy(dtype=dtype)
    return frame.to_numpy(dtype=object).astype(dtype)


def _as_mapping(container: Container, frame: pd.DataFrame) -> dict[Any, np.ndarray]:
    return {name: frame[name].to_numpy() for name in frame.columns}


_RESTORE: dict[str, Callable[[Container, Any], Any]] = {
    "polars": _as_polars,
    "numpy": _as_array,
    "mapping": _as_mapping,
}
