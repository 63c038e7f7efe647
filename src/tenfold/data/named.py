"""Data sets known by name."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

import numpy as np

from ..errors import DataError
from .arrays import array_part, idx_splits
from .parts import Part
from .tree import folder_tree

SYSTEM_FOLDER = Path("/usr/share/datasets")
TIMEOUT_S = 60


@dataclass(frozen=True)
class Published:
    """Files that are published at an address.

    Attributes:
        address: where they are, without the last "/".
        checksums: MD5 of each file, as its publishers give it.
    """

    address: str
    checksums: Mapping[str, str]


PUBLISHED: dict[str, Published] = {
    "mnist": Published(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        {
            "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "fashion-mnist": Published(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        {
            "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
}
NAMES = ("digits", *PUBLISHED)


def named_splits(name: str) -> dict[str, Part]:
    """The splits of a data set known by name.

    Raises:
        DataError: the files are nowhere on this machine and may not be fetched.
    """
    if name == "digits":
        return {"train": _digits()}
    return idx_splits(folder_tree(_folder(name)))


def _digits() -> Part:
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    values = np.rint(np.asarray(pixels) * (255 / 16)).astype(np.uint8)
    return array_part(values.reshape(-1, 8, 8), np.asarray(labels))


def _folder(name: str) -> Path:
    own = Path(os.environ.get("TENFOLD_DATA") or Path.home() / ".local/share/tenfold") / name
    for folder in (own, SYSTEM_FOLDER / name):
        if folder.is_dir() and idx_splits_present(folder):
            return folder
    if os.environ.get("TENFOLD_DOWNLOAD") != "1":
        raise DataError(
            f"The data set {name!r} is neither in {own} nor in {SYSTEM_FOLDER / name}. Put its files there "
            f"({PUBLISHED[name].address}), or set TENFOLD_DOWNLOAD=1 to have them fetched."
        )
    download(PUBLISHED[name], own)
    return own


def idx_splits_present(folder: Path) -> bool:
    """Whether a folder holds training images in IDX."""
    return any((folder / f"train-images-idx3-ubyte{suffix}").is_file() for suffix in ("", ".gz"))


def download(published: Published, folder: Path) -> None:
    """Fetches published files and checks them.

    Raises:
        DataError: no answer, or a file that is not the published one; nothing of it is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, checksum in published.checksums.items():
        url = f"{published.address}/{name}"
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
                content: bytes = answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise DataError(
                f"{url} cannot be fetched ({error}). Put the file into {folder} by hand."
            ) from error
        # MD5 is what the publishers give; it guards against damage.
        if md5(content, usedforsecurity=False).hexdigest() != checksum:
            raise DataError(f"{url} is not the published file: its MD5 is not {checksum}. Try again later.")
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.write_bytes(content)
        temporary.replace(folder / name)
