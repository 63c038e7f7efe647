"""Images and vectors that come as arrays: in memory, `.npy`, `.npz` and IDX."""

from __future__ import annotations

import gzip
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import DataError
from .parts import MODES, Header, Item, Part
from .tree import Tree

VALUE_KEYS = ("images", "x", "data", "arr_0")
LABEL_KEYS = ("labels", "y", "arr_1")
IDX_IMAGES = re.compile(r"(train|t10k|test)-images[-.]idx3-ubyte(\.gz)?")
_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IDX_SPLITS = {"train": "train", "t10k": "test", "test": "test"}


def array_part(values: np.ndarray, labels: np.ndarray | None = None, stamp: str = "") -> Part:
    """A part over an array.

    Args:
        values: `(n, H, W)`, `(n, H, W, C)` or `(n, C, H, W)` of uint8, uint16 or floats,
            or `(n, features)` of floats.
        labels: one whole number or text per row.
        stamp: identifies the content; taken from the content if not given.

    Raises:
        DataError: another shape or type, or another number of labels.
    """
    values = _rows_last(values)
    _refuse_type(values)
    names = _label_names(labels, len(values))
    items = [Item("", row, names[row] if names else None) for row in range(len(values))]
    if not stamp:
        stamp = blake2b(np.ascontiguousarray(values).data, digest_size=16).hexdigest()
    return Part(items, _no_files, values, f"{stamp} {values.shape} {values.dtype}")


def array_header(array: np.ndarray) -> Header:
    """What every row of an array has in common."""
    dtype = array.dtype.name if array.dtype.kind == "u" else "float32"
    if array.ndim == 2:
        return Header(1, array.shape[1], "vector", dtype)
    return Header(array.shape[1], array.shape[2], MODES[array.shape[3]], dtype)


def array_row(array: np.ndarray, row: int | None) -> np.ndarray:
    """One row of an array, floats as float32."""
    return array[row] if array.dtype.kind == "u" else array[row].astype(np.float32)


def read_npy(path: Path) -> Part:
    """A part over a `.npy` file, mapped into memory and not read."""
    found = path.stat()
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read as an array of plain numbers: {error}.") from error
    return array_part(values, stamp=f"{path.name} {found.st_size} {found.st_mtime_ns}")


def read_npz(path: Path) -> Part:
    """A part over a `.npz` file with images (or x, data) and, if there are any, labels (or y)."""
    found = path.stat()
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values = _first(arrays, VALUE_KEYS)
            labels = _first(arrays, LABEL_KEYS)
            keys = ", ".join(arrays) or "nothing"
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} cannot be read as arrays of plain numbers: {error}.") from error
    if values is None:
        raise DataError(f"{path} holds {keys}. Expected an array called one of: {', '.join(VALUE_KEYS)}.")
    return array_part(values, labels, f"{path.name} {found.st_size} {found.st_mtime_ns}")


def idx_splits(tree: Tree) -> dict[str, Part]:
    """The splits of a folder with files such as `train-images-idx3-ubyte.gz`, labels beside them."""
    splits: dict[str, Part] = {}
    for name in tree.here():
        if match := IDX_IMAGES.fullmatch(name):
            splits.setdefault(_IDX_SPLITS[match[1]], _idx_part(tree, name))
    return splits


def read_idx(stream: BinaryIO, name: str) -> np.ndarray:
    """An array in IDX, the format of MNIST, compressed by gzip or not.

    References:
        The IDX file format, in Y. LeCun, C. Cortes, C. Burges, "The MNIST database", 1998.
        http://yann.lecun.com/exdb/mnist/
    """
    try:
        content = stream.read()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name} is damaged: {error}. Fetch it again.") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _IDX_TYPES:
        raise DataError(f"{name} is not an IDX file: it begins with {content[:4]!r}.")
    dtype, dimensions = np.dtype(_IDX_TYPES[content[2]]), content[3]
    start = 4 + 4 * dimensions
    shape = tuple(int(n) for n in np.frombuffer(content[4:start], ">u4"))
    expected = math.prod(shape) * dtype.itemsize
    if len(shape) != dimensions or len(content) - start != expected:
        raise DataError(
            f"{name} is damaged: {len(content) - start} bytes of values, expected {expected} for {shape}."
        )
    values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)


def _idx_part(tree: Tree, images: str) -> Part:
    stem = images.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    labels = next((name for name in (stem, f"{stem}.gz") if name in tree.files), None)
    with tree.open(images) as stream:
        values = read_idx(stream, images)
    if labels is None:
        return array_part(values, stamp=tree.stamp([images]))
    with tree.open(labels) as stream:
        return array_part(values, read_idx(stream, labels), tree.stamp([images, labels]))


def _rows_last(values: np.ndarray) -> np.ndarray:
    if values.ndim == 2:
        return values
    if values.ndim == 3:
        return values[..., None]
    if values.ndim == 4:
        last, first = values.shape[3] in MODES, values.shape[1] in MODES
        if last and not first:
            return values
        if first and not last:
            return values.transpose(0, 2, 3, 1)
    raise DataError(
        f"The array has the shape {values.shape}. Expected (n, features), (n, height, width), or "
        "(n, height, width, channels) or (n, channels, height, width) with 1 to 4 channels and no doubt "
        "which is which."
    )


def _refuse_type(values: np.ndarray) -> None:
    if values.ndim == 2 and values.dtype.kind != "f":
        raise DataError(
            f"A table of {values.dtype} was found; vectors are floats. Convert it: values.astype('float32')."
        )
    if values.dtype.kind != "f" and values.dtype not in (np.uint8, np.uint16):
        raise DataError(
            f"The array holds {values.dtype}; images are uint8, uint16 or floats. "
            "Convert it, for example: values.astype('uint8')."
        )
    if 0 in values.shape[1:]:
        raise DataError(f"The array has the shape {values.shape}: its images are empty.")


def _label_names(labels: np.ndarray | None, count: int) -> list[str] | None:
    if labels is None:
        return None
    labels = labels.reshape(-1) if labels.size == len(labels) else labels
    if labels.shape != (count,):
        raise DataError(
            f"There are {count} images but labels of the shape {labels.shape}; one label each is needed."
        )
    if labels.dtype.kind not in "iuUb":
        raise DataError(f"The labels are {labels.dtype}; they must be whole numbers or text.")
    return [str(label) for label in labels.tolist()]


def _first(arrays: Mapping[str, np.ndarray], keys: tuple[str, ...]) -> np.ndarray | None:
    return next((arrays[key] for key in keys if key in arrays), None)


def _no_files(name: str) -> BinaryIO:
    raise FileNotFoundError(name)
