"""Tables in and out: files and frames of any kind become one frame of pandas, and frames become files."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError, MissingExtra
from ..decode import is_image
from ..tables import FILE_COLUMNS
from .container import Container, Fields, Name, inside_names
from .csvfile import HEAD, bytes_of, delimiter_of, head_rows, read_text_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUFFIXES", "Container", "Frame", "is_table", "read_frame", "write_frame"]

TEXTS = {".csv": "csv", ".tsv": "csv"}
SUFFIXES = (*TEXTS, ".parquet", ".xlsx", ".json", ".jsonl")
"""Of files that hold tables; behind those of text there may be .gz."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A table as it is inside.

    Attributes:
        df: its rows, numbered from 0; names of columns are text.
        container: what it came in.
        name: what it is called in messages.
        fingerprint: changes when a value, a name or a type does.
    """

    df: pd.DataFrame
    container: Container
    name: str
    fingerprint: str


def read_frame(source: Any) -> Frame:  # noqa: ANN401
    """A table, whatever it comes in.

    Args:
        source: the path of a file (.csv, .tsv, .parquet, .xlsx, .json, .jsonl), a frame of pandas or polars,
            an array of two dimensions or one with fields, or a mapping of columns.

    Raises:
        DataError: it is none of these, or cannot be read.
        MissingExtra: reading it needs an optional part.
    """
    need_pandas()
    import pandas as pd

    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        df, container = _read_file(path)
        return _frame(df, container, str(source))
    if isinstance(source, pd.DataFrame):
        return _frame(source, _container("pandas", source), f"a table {_size(source.shape)}")
    if _is_polars(source):
        return _frame(*_read_polars(source), f"a table {_size(source.shape)}")
    if isinstance(source, np.ndarray):
        return _frame(*_read_array(source), f"an array {source.shape}")
    if isinstance(source, Mapping):
        df = _from(source)
        return _frame(df, _container("mapping", df), f"a table {_size(df.shape)}")
    raise DataError(
        f"A {type(source).__name__} is no table. Expected the path of a file, a frame of pandas or polars, "
        "an array of two dimensions, or a mapping of columns."
    )


def need_pandas() -> None:
    """Raises a MissingExtra if pandas is not installed."""
    if find_spec("pandas") is None:
        raise MissingExtra("Tables", "tables")


def is_table(source: Any) -> bool:  # noqa: ANN401
    """Whether a source is a table of rows, and no list of pictures and no plain array.

    Of a file, its suffix decides. A .csv or .jsonl that names picture files in a column called file_name,
    file, path or image, or in both of two columns, is about these pictures.
    """
    if isinstance(source, np.ndarray):
        return source.dtype.names is not None
    if not isinstance(source, str | Path):
        return _is_pandas(source) or _is_polars(source) or isinstance(source, Mapping)
    path = Path(source).expanduser()
    suffix = _suffix(path)
    if suffix not in SUFFIXES or not path.is_file():
        return False
    return suffix not in (".csv", ".jsonl") or not _names_pictures(path, suffix)


def _is_pandas(source: Any) -> bool:  # noqa: ANN401
    pandas = sys.modules.get("pandas")  # nobody has a frame who did not import it
    return pandas is not None and isinstance(source, pandas.DataFrame)


def _is_polars(source: Any) -> bool:  # noqa: ANN401
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(source, polars.DataFrame)


def _names_pictures(path: Path, suffix: str) -> bool:
    raw = bytes_of(path, HEAD + 1)
    if suffix == ".jsonl":
        first = _object(raw[:HEAD].decode("utf-8", errors="ignore").partition("\n")[0])
        names, rows = list(first), [[str(value) for value in first.values()]]
    else:
        found = head_rows(raw, delimiter_of(raw))
        names, rows = [name.strip() for name in found[0]] if found else [], found[1:]
    about = next((names.index(name) for name in FILE_COLUMNS if name in names), None)
    if about is not None:
        return all(len(row) > about and is_image(row[about].strip()) for row in rows)
    return len(names) == 2 and bool(rows) and all(is_image(cell.strip()) for row in rows for cell in row)


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _frame(df: pd.DataFrame, container: Container, name: str) -> Frame:
    import pandas as pd

    if isinstance(df.columns, pd.MultiIndex):
        raise DataError(
            f"{name} has columns with names of several levels, such as {df.columns[0]}. Give each a single "
            "name."
        )
    inside = df.reset_index(drop=True)
    inside.columns = inside_names(list(df.columns))
    return Frame(inside, container, name, fingerprint_of(inside, name))


def fingerprint_of(df: pd.DataFrame, name: str) -> str:
    """Changes when a value, a name or a type does.

    Raises:
        DataError: a cell holds several values.
    """
    digest = blake2b(digest_size=16)
    for i, column in enumerate(df.columns):
        digest.update(repr((column, len(df))).encode())
        try:
            digest.update(_content(df.iloc[:, i]))
        except TypeError as error:
            raise DataError(
                f"The column {column!r} of {name} holds lists or objects ({error}). Put each of their values "
                "into a column of its own, or leave it out."
            ) from error
    return digest.hexdigest()


def _content(series: pd.Series[Any]) -> bytes:
    import pandas as pd

    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biufmM":
        return str(series.dtype).encode() + np.ascontiguousarray(series.to_numpy()).tobytes()
    codes, found = pd.factorize(series)  # whatever text is stored as, it has the same numbers
    texts = "\0".join(map(str, found)).encode("utf-8", "surrogatepass")
    return codes.astype("<i8").tobytes() + texts


def _size(shape: tuple[int, ...]) -> str:
    return f"of {shape[0]} rows and {shape[1]} columns"


def _container(kind: str, df: pd.DataFrame, delimiter: str = ",") -> Container:
    import pandas as pd

    return Container(
        kind,
        tuple(map(_name, df.columns.tolist())),
        tuple(map(str, df.dtypes)),
        index="range" if isinstance(df.index, pd.RangeIndex) else "other",
        index_name=None if df.index.name is None else _name(df.index.name),
        delimiter=delimiter,
    )


def _name(name: Any) -> Name:  # noqa: ANN401
    return name if isinstance(name, str | int) and not isinstance(name, bool) else str(name)


def _read_polars(source: Any) -> tuple[pd.DataFrame, Container]:  # noqa: ANN401
    try:
        df = source.to_pandas()
    except ImportError as error:
        raise MissingExtra("Frames of polars", "tables") from error
    return df, Container("polars", tuple(source.columns), tuple(map(str, source.dtypes)))


def _read_array(source: np.ndarray) -> tuple[pd.DataFrame, Container]:
    import pandas as pd

    if source.dtype.names is not None and source.ndim == 1:
        fields: Fields = tuple((name, source.dtype[name].str) for name in source.dtype.names)
        wide = [name for name in source.dtype.names if source.dtype[name].shape or source.dtype[name].names]
        if wide:
            raise DataError(f"The field {wide[0]!r} of the array holds several values. Make fields of them.")
        df = pd.DataFrame({name: source[name].astype(dtype.replace(">", "=")) for name, dtype in fields})
        return df, Container("numpy", source.dtype.names, tuple(map(str, df.dtypes)), numpy=fields)
    if source.ndim != 2:
        raise DataError(
            f"The array has the shape {source.shape}; one of two dimensions was expected, rows and columns."
        )
    native = np.asarray(source, source.dtype.newbyteorder("="))
    df = pd.DataFrame(native).infer_objects()
    columns = tuple(range(source.shape[1]))
    return df, Container("numpy", columns, tuple(map(str, df.dtypes)), numpy=source.dtype.str)


def _from(columns: Any) -> pd.DataFrame:  # noqa: ANN401
    import pandas as pd

    try:
        return pd.DataFrame(columns)
    except (ValueError, TypeError) as error:
        raise DataError(f"These are no columns of a table: {error}. Give lists of one length.") from error


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if len(suffixes) == 2 and suffixes[1] == ".gz":
        return suffixes[0] if suffixes[0] in (*TEXTS, ".jsonl") else ".gz"
    return path.suffix.lower()


def _read_file(path: Path) -> tuple[pd.DataFrame, Container]:
    suffix = _suffix(path)
    if suffix not in _READ:
        raise DataError(f"{path} is no file of a table. Expected one that ends in {', '.join(SUFFIXES)}.")
    if not path.is_file():
        raise DataError(f"There is no file {path}.")
    if suffix in TEXTS:
        df, delimiter = read_text_table(path)
        return df, _container("csv", df, delimiter)
    kind, read = _READ[suffix]
    df = read(path)
    return df, _container(kind, df)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except ImportError as error:
        raise MissingExtra("Parquet files", "tables") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}.") from error


def _read_excel(path: Path) -> pd.DataFrame:
    import zipfile

    import pandas as pd

    try:
        return pd.read_excel(path, sheet_name=0, engine="openpyxl")
    except ImportError as error:
        raise MissingExtra("Excel files", "tables") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as a sheet of Excel: {error}.") from error


def _read_json(path: Path) -> pd.DataFrame:
    try:
        return _from(json.loads(_text(path)))
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not JSON: {error}. Expected a list of objects.") from error


def _read_lines(path: Path) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        found = _object(line)
        if not found:
            raise DataError(f"Line {number} of {path} is not a JSON object: {line[:60]!r}.")
        rows.append(found)
    return _from(rows)


def _text(path: Path) -> str:
    try:
        return bytes_of(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error


_READ: dict[str, tuple[str, Callable[[Path], Any]]] = {
    ".csv": ("csv", read_text_table),
    ".tsv": ("csv", read_text_table),
    ".parquet": ("parquet", _read_parquet),
    ".xlsx": ("excel", _read_excel),
    ".json": ("json", _read_json),
    ".jsonl": ("json", _read_lines),
}


def write_frame(df: pd.DataFrame, path: str | Path, delimiter: str | None = None) -> None:
    """Writes a frame to a file, in the format that its suffix says; whole or not at all.

    Args:
        df: of pandas.
        path: of the file; replaced if it exists.
        delimiter: between the fields of a text; a tab in .tsv and a comma in .csv if not said.

    Raises:
        DataError: the suffix says nothing, or the file cannot be written.
        MissingExtra: writing it needs an optional part.
    """
    path = Path(path).expanduser()
    suffix = _suffix(path)
    if suffix not in SUFFIXES:
        raise DataError(f"{path} is no file of a table. Use one that ends in {', '.join(SUFFIXES)}.")
    fresh = path.with_name(f".new-{path.name}")  # of the same suffix, by which pandas goes
    try:
        _write(df, fresh, suffix, delimiter)
        fresh.replace(path)
    except ImportError as error:
        raise MissingExtra(f"Writing {suffix} files", "tables") from error
    except (OSError, ValueError) as error:
        fresh.unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written: {error}.") from error


def _write(df: pd.DataFrame, path: Path, suffix: str, delimiter: str | None) -> None:
    if suffix in TEXTS:
        own = "\t" if suffix == ".tsv" else ","
        df.to_csv(path, index=False, sep=delimiter or own, lineterminator="\n")
    elif suffix == ".parquet":
        df.rename(columns=str).to_parquet(path, index=False)
    elif suffix == ".xlsx":
        df.to_excel(path, index=False)
    else:
        lines = suffix == ".jsonl"
        df.to_json(path, orient="records", lines=lines, date_format="iso", force_ascii=False)
