"""Image files: what they hold, and their values. Nothing is narrowed or converted without saying so."""

from __future__ import annotations

import struct
from pathlib import PurePosixPath
from types import ModuleType
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from ..errors import MissingExtra, TenfoldError
from .dicom import dicom_header, dicom_values
from .parts import CHANNELS, MODES, BadImage, Header

PILLOW_SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".webp", ".bmp", ".tif", ".tiff", ".gif")
DICOM_SUFFIXES = (".dcm", ".dicom")
IMAGE_SUFFIXES = PILLOW_SUFFIXES + DICOM_SUFFIXES
LARGEST_PIXELS = 100_000_000
_TOO_LARGE = f"above {LARGEST_PIXELS // 1_000_000} megapixels; make it smaller first"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {2: 3, 4: 2, 6: 4}
_TIFF_BITS, _TIFF_FORMAT = 258, 339
_ORIENTATION, _FIRST_TURNED = 0x0112, 5


def is_image(name: str) -> bool:
    """Whether a file's name ends like that of an image."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def read_header(stream: BinaryIO, name: str) -> Header:
    """Size and kind of an image file, without decoding it.

    Raises:
        BadImage: not an image, damaged, of a kind that is not supported, or too large.
        MissingExtra: reading it needs an optional part.
    """
    try:
        header = _header(stream, name)
    except TenfoldError:
        raise
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise BadImage(_reason(error)) from error
    _refuse_large(header.height, header.width)
    return header


def read_values(stream: BinaryIO, name: str, page: int | None = None) -> np.ndarray:
    """The values of one image, `(H, W, C)`, in the type that `read_header` says; ask that first.

    Raises:
        BadImage: the image cannot be decoded.
    """
    try:
        values = _values(stream, name, page or 0)
    except TenfoldError:
        raise
    except Exception as error:  # as above
        raise BadImage(_reason(error)) from error
    return values if values.ndim == 3 else values[..., None]


def read_inks(stream: BinaryIO, name: str) -> np.ndarray | None:
    """The values of an image that is made for print (CMYK) in RGB, as they are shown; None if it is not.

    For whoever wants to see it: what is learnt from is never converted without being asked.

    Raises:
        BadImage: it is, and cannot be decoded, or is too large.
    """
    if _is_dicom(name):
        return None
    try:
        image = Image.open(stream)
    except Exception:  # whatever it is, `read_header` says so
        return None
    if image.mode != "CMYK":
        return None
    _refuse_large(image.height, image.width)
    try:
        turned = ImageOps.exif_transpose(image) if _turns(image) else image
        return np.asarray(turned.convert("RGB"))
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise BadImage(_reason(error)) from error


def _header(stream: BinaryIO, name: str) -> Header:
    if _is_dicom(name):
        return dicom_header(stream)
    start = stream.read(26)
    stream.seek(0)
    if channels := _deep_png(start):
        width, height = struct.unpack(">II", start[16:24])
        return Header(height, width, MODES[channels], "uint16")
    image = _open(stream, name)
    if image is None:
        return _tiff_header(stream)
    mode, dtype = _kind(image)
    width, height = image.size
    if _turned(image):
        width, height = height, width
    pages = image.n_frames if isinstance(image, TiffImageFile) else 1
    return Header(height, width, mode, dtype, pages)


def _values(stream: BinaryIO, name: str, page: int) -> np.ndarray:
    if _is_dicom(name):
        return dicom_values(stream, page)
    start = stream.read(26)
    stream.seek(0)
    if _deep_png(start):
        return _extra("imagecodecs", "Reading 16-bit colour PNG").png_decode(stream.read())
    image = _open(stream, name)
    if image is None:
        return _tiff_values(stream, page)
    if page:
        image.seek(page)
        _refuse_large(image.height, image.width)
    mode, dtype = _kind(image)
    turn = _turns(image)
    image.load()
    if turn:
        image = ImageOps.exif_transpose(image)
    if dtype == "uint8" and image.mode != mode:
        image = image.convert(mode)
    return np.asarray(image).astype(dtype, copy=False)


def _open(stream: BinaryIO, name: str) -> Image.Image | None:
    # None: a TIFF of a kind that Pillow does not read, or reads as 8 bit without a word.
    is_tiff = name.lower().endswith((".tif", ".tiff"))
    try:
        image = Image.open(stream)
    except UnidentifiedImageError:
        if is_tiff and _begins_like_tiff(stream):
            return None
        raise
    if isinstance(image, TiffImageFile):
        bits = image.tag_v2.get(_TIFF_BITS, (1,))
        if len(bits) > 1 and set(bits) != {8}:
            stream.seek(0)
            return None
    return image


def _begins_like_tiff(stream: BinaryIO) -> bool:
    stream.seek(0)
    start = stream.read(4)
    stream.seek(0)
    return start[:2] in (b"II", b"MM")


def _kind(image: Image.Image) -> tuple[str, str]:
    mode = image.mode
    if mode in ("L", "RGB") and "transparency" in image.info:
        return f"{mode}A", "uint8"
    if mode in CHANNELS:
        return mode, "uint8"
    if mode == "1":
        return "L", "uint8"
    if mode in ("P", "PA"):
        return ("RGBA" if mode == "PA" or "transparency" in image.info else "RGB"), "uint8"
    if mode.startswith("I;16"):
        return "L", "uint16"
    if mode == "I" and image.format == "PNG":
        return "L", "uint16"
    if mode == "F" or (mode == "I" and _is_signed_16(image)):
        return "L", "float32"
    raise BadImage(f"its kind of pixel, {mode}, is not supported; convert it to L, LA, RGB or RGBA")


def _is_signed_16(image: Image.Image) -> bool:
    return isinstance(image, TiffImageFile) and image.tag_v2.get(_TIFF_BITS) == (16,)


def _turns(image: Image.Image) -> bool:
    # Pillow turns TIFF itself; asking a PNG for its EXIF would decode it.
    return "exif" in image.info and not isinstance(image, TiffImageFile)


def _turned(image: Image.Image) -> bool:
    return _turns(image) and image.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED


def _deep_png(start: bytes) -> int:
    # Pillow reads 16-bit colour PNG as 8 bit without a word.
    deep = start[:8] == _PNG_SIGNATURE and len(start) == 26 and start[24] == 16
    return _PNG_CHANNELS.get(start[25], 0) if deep else 0


def _tiff_header(stream: BinaryIO) -> Header:
    with _extra("tifffile", "Reading 16-bit or float colour TIFF").TiffFile(stream) as tiff:
        page = tiff.pages[0]
        channels = page.samplesperpixel
        if channels not in MODES:
            raise BadImage(f"has {channels} channels; 1 to 4 are supported")
        if page.dtype.name not in ("uint8", "uint16", "int16", "float16", "float32", "float64"):
            raise BadImage(f"holds {page.dtype}; convert it to 8 bit, 16 bit or float")
        dtype = page.dtype.name if page.dtype.kind == "u" else "float32"
        return Header(page.imagelength, page.imagewidth, MODES[channels], dtype, len(tiff.pages))


def _tiff_values(stream: BinaryIO, page: int) -> np.ndarray:
    with _extra("tifffile", "Reading 16-bit or float colour TIFF").TiffFile(stream) as tiff:
        found = tiff.pages[page]
        values = found.asarray()
        values = np.moveaxis(values, 0, -1) if found.axes == "SYX" else values
    return values if values.dtype.kind == "u" else values.astype(np.float32)


def _extra(module: str, what: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(what, "tiff") from error


def _is_dicom(name: str) -> bool:
    return name.lower().endswith(DICOM_SUFFIXES)


def _refuse_large(height: int, width: int) -> None:
    if height * width > LARGEST_PIXELS:
        raise BadImage(f"{width}x{height} pixels, {_TOO_LARGE}")


def _reason(error: Exception) -> str:
    if isinstance(error, Image.DecompressionBombError):
        return _TOO_LARGE
    if isinstance(error, UnidentifiedImageError):
        return "not an image, whatever its name says"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
