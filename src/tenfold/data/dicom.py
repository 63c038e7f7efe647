"""DICOM: the medical image format, through the optional `pydicom`."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import MissingExtra
from .parts import MODES, BadImage, Header

if TYPE_CHECKING:
    from pydicom import Dataset


def dicom_header(stream: BinaryIO) -> Header:
    """Size and kind of a DICOM file. Grey ones are floats: what rescale and window give."""
    found = _read(stream, without_pixels=True)
    channels = int(found.get("SamplesPerPixel", 1))
    if channels not in MODES:
        raise BadImage(f"has {channels} channels; 1 to 4 are supported")
    bits = int(found.get("BitsAllocated", 8))
    if channels > 1 and bits not in (8, 16):
        raise BadImage(f"has {bits} bits per channel; 8 and 16 are supported")
    dtype = "float32" if channels == 1 else f"uint{bits}"
    remark = "DICOM values: rescale slope, intercept and window applied" if channels == 1 else ""
    pages = int(found.get("NumberOfFrames", 1) or 1)
    return Header(int(found.Rows), int(found.Columns), MODES[channels], dtype, pages, remark)


def dicom_values(stream: BinaryIO, page: int) -> np.ndarray:
    """One frame: grey as float32, inverted where the file says that low is white."""
    from pydicom.pixels import apply_modality_lut, apply_voi_lut, pixel_array

    found = _read(stream)
    values = pixel_array(found, index=page)
    if int(found.get("SamplesPerPixel", 1)) > 1:
        return values
    values = np.asarray(apply_voi_lut(apply_modality_lut(values, found), found), np.float32)
    return -values if found.get("PhotometricInterpretation") == "MONOCHROME1" else values


def _read(stream: BinaryIO, without_pixels: bool = False) -> Dataset:
    try:
        from pydicom import dcmread
    except ImportError as error:
        raise MissingExtra("Reading DICOM", "dicom") from error
    return dcmread(stream, stop_before_pixels=without_pixels)
