"""Tables of text with a delimiter: encoding, delimiter and every line are checked before they are read."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError
from .words import MISSING_WORDS, ODD_NUMBER, missing_words, plain_numbers, words_of

if TYPE_CHECKING:
    import pandas as pd

DELIMITERS = (",", ";", "\t", "|")
HEAD = 1 << 16  # bytes that tell the delimiter and the names of the columns
_TRIED = 1000  # rows that a column must look like numbers in before all of it is read as such
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Of what decodes so, the first: most Chinese is in gb2312, and gb18030 takes nearly all bytes for some sign.
_EASTERN = (("gb2312", "gb18030"), ("big5", "big5"), ("shift_jis", "shift_jis"), ("gb18030", "gb18030"))
FEWEST_EASTERN = 6  # bytes beyond ASCII that tell anything
_QUOTED_AFTER_BLANK = re.compile(rb'[,;\t|] +"')


def read_text_table(path: Path) -> tuple[pd.DataFrame, str]:
    """A table of text, and the delimiter of its fields.

    Columns of plain numbers become numbers, columns of True and False truth. Others stay text as it is
    written, missing where a field is empty: with blanks, leading zeros and whatever stands for unknown. Blank
    lines are no rows; but between the lines of a single column they are missing values.

    Raises:
        DataError: it is not UTF-8, is empty, has no line of names, or a line has more or fewer fields.
    """
    import pandas as pd

    raw = bytes_of(path).removeprefix(codecs.BOM_UTF8)
    refuse_other_encoding(raw, path)
    delimiter = delimiter_of(raw)
    rows = head_rows(raw, delimiter)
    if not rows:
        raise DataError(f"{path} is empty. A line of column names and rows were expected.")
    names = [name if name.strip() else f"Unnamed: {i}" for i, name in enumerate(rows[0])]
    refuse_numbers_as_names(names, path)
    refuse_broken_lines(raw, delimiter, len(names), path)
    try:
        frame = pd.read_csv(
            io.BytesIO(raw.strip(b" \r\n") if len(names) == 1 else raw),
            sep=delimiter,
            skip_blank_lines=len(names) > 1,
            header=0,
            names=list(range(len(names))),
            index_col=False,
            dtype=str,
            na_filter=False,
            skipinitialspace=_skips(raw),
            encoding="utf-8",
        )
    except pd.errors.ParserError as error:
        raise DataError(f"{path} cannot be read as a table: {error}. Correct it there.") from error
    frame = pd.DataFrame({i: typed(frame[i]) for i in range(len(names))}, index=pd.RangeIndex(len(frame)))
    frame.columns = names
    return frame, delimiter


def bytes_of(path: Path, most: int = -1) -> bytes:
    """What is in a file, unpacked if its name ends in .gz.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            return stream.read(most)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}).") from error


def refuse_other_encoding(raw: bytes, path: Path) -> None:
    """Raises a DataError that names the first byte that is not UTF-8, and what encoding it may be."""
    try:
        raw.decode("utf-8")
        if b"\0" not in raw[:HEAD]:
            return
        at = raw.index(b"\0")
    except UnicodeDecodeError as error:
        at = error.start
    likely, line = likely_encoding(raw, at), raw.count(b"\n", 0, at) + 1
    raise DataError(
        f"{path} is not UTF-8 text: byte {at} (line {line}) is 0x{raw[at]:02x}. "
        f"{looks_like(likely)}. Save it as UTF-8, or read it yourself and give the frame: "
        f'tenfold.fit(pandas.read_csv("{path.name}", encoding="{likely}"))'
    )


def likely_encoding(raw: bytes, at: int) -> str:
    """The encoding that text which is not UTF-8 most likely has.

    Args:
        raw: the text.
        at: the first byte that is not UTF-8.

    Example:
        >>> likely_encoding("Größe".encode("latin-1"), 2), likely_encoding("5 €".encode("cp1252"), 2)
        ('latin-1', 'cp1252')
        >>> likely_encoding("a".encode("utf-16"), 0)
        'utf-16'
        >>> likely_encoding("你好，世界！".encode("gbk"), 0)
        'gb18030'
    """
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return name
    head = raw[:HEAD]
    if head.count(0) > len(head) / 4:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    if sum(byte >= 0x80 for byte in head) > max(len(head) / 3, FEWEST_EASTERN):
        for tried, name in _EASTERN:
            if decodes(raw, tried):
                return name
    # From 0x80 to 0x9f latin-1 has nothing that is ever written; Windows has quotation marks and the euro.
    return "cp1252" if any(0x80 <= byte <= 0x9F for byte in raw[at : at + HEAD]) else "latin-1"


def looks_like(likely: str) -> str:
    """A sentence about an encoding, without its full stop."""
    return f"It is perhaps {likely}" if likely in dict(_EASTERN).values() else f"It looks like {likely}"


def decodes(raw: bytes, encoding: str) -> bool:
    """Whether all of a text can be read so."""
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def delimiter_of(raw: bytes) -> str:
    """What separates fields: what gives the most lines as many fields as the first one has.

    Example:
        >>> delimiter_of(b"a;b\\n1,5;2\\n"), delimiter_of(b"a\\n1\\n")
        (';', ',')
    """
    best, found = (0.0, 0), ","
    for delimiter in DELIMITERS:
        widths = [len(row) for row in head_rows(raw, delimiter)]
        if widths and widths[0] > 1:
            score = widths.count(widths[0]) / len(widths), widths[0]
            best, found = max((best, found), (score, delimiter), key=lambda pair: pair[0])
    return found


def head_rows(raw: bytes, delimiter: str) -> list[list[str]]:
    """Fields of the first lines that are not blank."""
    text = raw[:HEAD].decode("utf-8", errors="ignore")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=_skips(raw))
    try:
        found = list(rows)
    except csv.Error:
        return []
    whole = found[:-1] if len(raw) > HEAD and len(found) > 1 else found
    return [row for row in whole if any(field.strip() for field in row) or len(row) > 1]


def refuse_numbers_as_names(names: list[str], path: Path) -> None:
    """Raises a DataError if the first line is one of numbers, and these do not count columns or years."""
    stripped = [name.strip() for name in names]
    numbers = plain_numbers(stripped)
    counted = (np.diff(numbers) == 1).all() and (numbers[0] in (0, 1) or 1000 <= numbers[0] < 3000)
    if not np.isnan(numbers).any() and not counted:
        raise DataError(
            f"The first line of {path} has numbers and no names: {', '.join(stripped[:3])}, ... Put a line "
            "of column names before it."
        )


def refuse_broken_lines(raw: bytes, delimiter: str, expected: int, path: Path) -> None:
    """Raises a DataError that names the first line with another number of fields."""
    quoted = b'"' in raw
    numbers, widths = _quoted_widths(raw, delimiter, path) if quoted else _plain_widths(raw, delimiter)
    wrong = np.flatnonzero(widths != expected)
    if len(wrong):
        first = wrong[0]
        others = f" ({len(wrong)} lines are like that)" if len(wrong) > 1 else ""
        raise DataError(
            f"Line {numbers[first]} of {path} has {widths[first]} fields; the line of names has "
            f"{expected}{others}. Correct it, or put fields that hold {delimiter!r} into quotation marks."
        )


def _plain_widths(raw: bytes, delimiter: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and numbers of fields of the lines that are not blank, where nothing is quoted."""
    lines, mark = raw.splitlines(), delimiter.encode()
    widths = np.array([line.count(mark) for line in lines], np.int64) + 1
    there = np.array([bool(line.strip(b" ")) for line in lines], bool)
    return np.flatnonzero(there) + 1, widths[there]


def _quoted_widths(raw: bytes, delimiter: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    text = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8", newline="")
    rows = csv.reader(text, delimiter=delimiter, skipinitialspace=_skips(raw))
    numbers: list[int] = []
    widths: list[int] = []
    last = 0
    try:
        for row in rows:
            if len(row) > 1 or (row and row[0].strip()):
                numbers.append(last + 1)
                widths.append(len(row))
            last = rows.line_num
    except csv.Error as error:
        raise DataError(f"Line {last + 1} of {path} cannot be read: {error}. Correct it.") from error
    return np.array(numbers, np.int64), np.array(widths, np.int64)


def _skips(raw: bytes) -> bool:
    """Whether blanks after delimiters are no part of fields: quotation marks behind them would be, too."""
    return _QUOTED_AFTER_BLANK.search(raw, 0, HEAD) is not None


def typed(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of text as what all of it is: numbers, truth or text; missing where it is empty."""
    stripped = column.str.strip()
    numbers = _numbers(stripped)
    if numbers is not None:
        return numbers
    truth = {"True", "False"}
    if set(stripped.iloc[:_TRIED].unique()) <= truth and set(column.unique()) == truth:
        return (stripped == "True").astype(bool)
    return column.where(stripped != "")


def _numbers(stripped: pd.Series[Any]) -> pd.Series[Any] | None:
    """Texts as numbers; None if some are words, unknown (?), or codes with leading zeros."""
    import pandas as pd

    head = words_of(stripped.iloc[:_TRIED]).texts
    if np.isnan(plain_numbers(head[~missing_words(head)])).any() or "?" in head:
        return None
    numbers = np.asarray(pd.to_numeric(stripped.to_numpy(dtype=object), errors="coerce"), np.float64)
    absent = np.isnan(numbers)
    left = {text.casefold() for text in stripped[absent].unique()}
    if absent.all() or not left <= MISSING_WORDS - {"?"} or bool(stripped.str.match(ODD_NUMBER).any()):
        return None
    if not stripped[~absent].str.fullmatch(r"[+-]?\d+").all():
        return pd.Series(numbers)
    # Doubles would come back with a point.
    return pd.Series(numbers).astype("Int64") if absent.any() else pd.Series(numbers.astype(np.int64))
