"""Data: how files become tensors and samples become files again.

Importing this does not import torch; only encoding, decoding and gathering do.
"""

from __future__ import annotations

from .check import Report, check
from .codec import Codec
from .dataset import Dataset, Split
from .images import open_data
from .options import LoadOptions
from .spec import DataSpec

__all__ = ["Codec", "DataSpec", "Dataset", "LoadOptions", "Report", "Split", "check", "open_data"]
