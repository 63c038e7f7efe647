"""Decoded data on disk: written once, mapped into memory, removed when there is too much of it."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import DataError

LARGEST_CACHE_GB = 20.0
_STALE_S = 24 * 3600


def cache_folder() -> Path:
    """Where decoded data are kept: `$TENFOLD_CACHE`, or the user's cache folder."""
    own = os.environ.get("TENFOLD_CACHE")
    if own:
        return Path(own) / "decoded"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "tenfold" / "decoded"


def load(key: str) -> tuple[np.ndarray, dict[str, Any]] | None:
    """The values stored under a key, mapped read-only, and what was stored beside them; or None.

    The file stays locked against removal for as long as the array lives.
    """
    values_path, facts_path = _paths(key)
    try:
        facts = json.loads(facts_path.read_text("utf-8"))
        with open(values_path, "rb") as file:
            # The mapping holds a duplicate of the descriptor, and with it the lock.
            _lock(file, exclusive=False)
            values = _map(file)
        os.utime(values_path)
    except (OSError, ValueError):
        return None
    return values, facts


def write(
    key: str,
    blocks: Iterable[np.ndarray],
    shape: tuple[int, ...],
    dtype: str,
    facts: Callable[[], Mapping[str, Any]],
) -> None:
    """Stores blocks of rows under a key, then the facts that are known when the last one has passed.

    Args:
        key: what `load` asks for.
        blocks: arrays `(k, ...)`; together at most `shape[0]` rows.
        shape: what to make room for.
        dtype: of the values.
        facts: called after the last block.

    Raises:
        DataError: the folder cannot be written, the disk is full, or `TENFOLD_CACHE_GB` is not a size;
            nothing is left behind.
    """
    _limit_bytes()  # one that cannot be read is refused before the work, not after it
    values_path, facts_path = _paths(key)
    needed = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    temporary: list[Path] = []
    try:
        values_path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_full(values_path.parent, needed)
        with _temporary(values_path, temporary) as file:
            _write_blocks(file, blocks, shape, dtype)
        with _temporary(facts_path, temporary) as file:
            file.write(json.dumps(dict(facts())).encode())
            _sync(file)
        temporary[0].replace(values_path)
        temporary[1].replace(facts_path)
    except OSError as error:
        raise _cannot_write(values_path.parent, needed, error) from error
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)
    evict(keep=key)


def evict(keep: str = "") -> None:
    """Removes what was not used for longest until the rest fits; never what is in use now.

    Raises:
        DataError: `TENFOLD_CACHE_GB` is not a size.
    """
    limit, folder = _limit_bytes(), cache_folder()
    now = time.time()
    for path in folder.glob("*.part"):
        if now - path.stat().st_mtime > _STALE_S:
            path.unlink(missing_ok=True)
    entries = sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime)
    total = sum(path.stat().st_size for path in entries)
    for path in entries:
        if total <= limit:
            break
        size = path.stat().st_size
        if path.stem != keep and _remove(path):
            total -= size


def _limit_bytes() -> float:
    given = os.environ.get("TENFOLD_CACHE_GB") or str(LARGEST_CACHE_GB)
    try:
        gigabytes = float(given)
    except ValueError:
        gigabytes = math.nan
    if not gigabytes >= 0:  # nor is NaN
        raise DataError(
            f"The environment variable TENFOLD_CACHE_GB is {given!r}; a number of gigabytes that is not "
            f"negative was expected. Set it to one, such as {LARGEST_CACHE_GB:g}, or unset it."
        )
    return gigabytes * 1e9


def _paths(key: str) -> tuple[Path, Path]:
    folder = cache_folder()
    return folder / f"{key}.npy", folder / f"{key}.json"


def _map(file: IO[bytes]) -> np.ndarray:
    np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return np.memmap(file, dtype, "r", offset=file.tell(), shape=shape).view(np.ndarray)


def _write_blocks(file: IO[bytes], blocks: Iterable[np.ndarray], shape: tuple[int, ...], dtype: str) -> None:
    # Plain writes report a full disk; writing through a mapping would end the process instead.
    rows = 0
    _write_header(file, shape, dtype)
    for block in blocks:
        file.write(np.ascontiguousarray(block, dtype).data)
        rows += len(block)
    file.seek(0)
    _write_header(file, (rows, *shape[1:]), dtype)
    _sync(file)


def _write_header(file: IO[bytes], shape: tuple[int, ...], dtype: str) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _temporary(path: Path, made: list[Path]) -> IO[bytes]:
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    made.append(Path(name))
    return os.fdopen(descriptor, "wb")


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _remove(values_path: Path) -> bool:
    try:
        with open(values_path, "rb") as file:
            if not _lock(file, exclusive=True):
                return False
            values_path.with_suffix(".json").unlink(missing_ok=True)
            values_path.unlink()
    except OSError:
        return False
    return True


def _lock(file: IO[bytes], exclusive: bool) -> bool:
    if sys.platform == "win32":  # there, a file that is mapped cannot be removed
        return True
    import fcntl

    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _refuse_full(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{free / 1e6:.0f} MB are free")


def _cannot_write(folder: Path, needed: int, error: OSError) -> DataError:
    return DataError(
        f"The decoded data need {needed / 1e6:.1f} MB in {folder}, and that failed: "
        f"{error.strerror or error}. Make room, choose another folder with the environment variable "
        "TENFOLD_CACHE, or a smaller size with --size."
    )
