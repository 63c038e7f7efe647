"""Image files: each kind is read as it is, and each kind of damage is named."""

from __future__ import annotations

import io
import struct
import sys
import zlib

import imagecodecs
import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image

from tenfold.data import LoadOptions, check, open_data
from tenfold.data.decode import read_header, read_inks, read_values
from tenfold.errors import DataError, MissingExtra


def noise(channels=3, size=(5, 7), dtype="uint8", seed=0):
    values = np.random.default_rng(seed).random((*size, channels)) * (60000 if dtype == "uint16" else 255)
    return values.astype(dtype)


def to_bytes(values, form="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values).save(stream, form, **options)
    return stream.getvalue()


def to_tiff(values, **options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


def read(content, name="a.png", page=None):
    header = read_header(io.BytesIO(content), name)
    values = read_values(io.BytesIO(content), name, page)
    assert (header.height, header.width) == values.shape[:2]
    assert header.dtype == values.dtype
    assert {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[header.mode] == values.shape[2]
    return values


def folder(tmp_path, *files):
    for number, (suffix, content) in enumerate(files):
        (tmp_path / f"{number:02}{suffix}").write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "BMP"])
def test_8_bit(channels, form):
    if (form, channels) in {("BMP", 2), ("BMP", 4), ("WEBP", 1), ("WEBP", 2)}:
        channels = 3
    values = noise(channels)
    options = {"lossless": True} if form == "WEBP" else {}
    if form == "WEBP" and channels == 4:
        values[..., 3] = 255
    content = to_bytes(values, form, **options)
    assert np.array_equal(read(content, f"a.{form.lower()}")[..., :3], values[..., :3])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_png(channels):
    values = noise(channels, dtype="uint16")
    content = imagecodecs.png_encode(values.squeeze())
    assert np.array_equal(read(content), values)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_deep_tiff(dtype, channels, planar):
    values = noise(channels, dtype=dtype)
    if channels == 1:
        content = to_tiff(values.squeeze(), photometric="minisblack")
    else:
        stored = values if planar == "contig" else np.moveaxis(values, -1, 0)
        content = to_tiff(stored, photometric="rgb", planarconfig=planar)
    assert np.array_equal(read(content, "a.tif"), values)


def test_signed_16_bit_tiff_becomes_float():
    values = (noise(1).astype(np.int16) - 100).squeeze()
    assert np.array_equal(read(to_tiff(values), "a.tif")[..., 0], values.astype(np.float32))


def test_32_bit_whole_numbers_are_refused():
    with pytest.raises(DataError, match="not supported"):
        read(to_tiff(noise(1).squeeze().astype(np.int32)), "a.tif")


def test_every_page_of_a_tiff_is_an_image(tmp_path):
    pages = [noise(1, seed=seed).squeeze() for seed in range(3)]
    (tmp_path / "stack.tif").write_bytes(to_tiff(np.stack(pages), photometric="minisblack"))
    data = open_data(tmp_path)
    assert data.train.names == ("stack.tif#0", "stack.tif#1", "stack.tif#2")
    decoded = data.codec.decode(data.codec.encode(data.train.values))
    assert np.array_equal(decoded[..., 0], np.stack(pages))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_orientation(orientation, form):
    turns = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a.swapaxes(0, 1), 2),
        8: lambda a: np.rot90(a),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    corners = (
        np.kron(np.array([[0, 80], [160, 240]]), np.ones((16, 24)))[..., None].repeat(3, 2).astype(np.uint8)
    )
    found = read(to_bytes(corners, form, exif=exif, quality=95), f"a.{form.lower()}")
    assert abs(found.astype(int) - turns[orientation](corners)).max() < 40


def test_palette_keeps_its_colours_and_transparency():
    picture = Image.fromarray(noise(3)).quantize(8)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    assert np.array_equal(read(stream.getvalue()), np.asarray(picture.convert("RGB")))
    stream = io.BytesIO()
    picture.save(stream, "PNG", transparency=0)
    found = read(stream.getvalue())
    assert found.shape[2] == 4 and set(np.unique(found[..., 3])) == {0, 255}


def test_a_transparent_colour_becomes_alpha():
    values = noise(3)
    values[0, 0] = 7
    content = to_bytes(values, transparency=(7, 7, 7))
    found = read(content)
    assert found.shape[2] == 4 and found[0, 0, 3] == 0 and found[..., 3].sum() == 255 * (5 * 7 - 1)


def test_one_bit_is_black_and_white():
    stream = io.BytesIO()
    Image.fromarray(np.eye(4, dtype=bool)).save(stream, "PNG")
    assert np.array_equal(read(stream.getvalue())[..., 0], np.eye(4) * 255)


def test_cmyk_is_refused():
    stream = io.BytesIO()
    Image.new("CMYK", (4, 4)).save(stream, "JPEG")
    with pytest.raises(DataError, match="CMYK"):
        read(stream.getvalue(), "a.jpg")


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_inks_are_shown_in_rgb(form):
    """Cyan leaves green and blue."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.new("CMYK", (8, 4), (255, 0, 0, 0)).save(stream, form, **({"exif": exif} if form == "JPEG" else {}))
    values = read_inks(io.BytesIO(stream.getvalue()), f"a.{form.lower()}")
    assert values.shape == ((8, 4, 3) if form == "JPEG" else (4, 8, 3))
    assert np.abs(values.astype(int) - (0, 255, 255)).max() <= 4  # JPEG is not exact


def test_inks_that_end_early_are_named():
    stream = io.BytesIO()
    Image.fromarray(noise(3, (64, 64))).convert("CMYK").save(stream, "JPEG")
    with pytest.raises(DataError, match="truncated"):
        read_inks(io.BytesIO(stream.getvalue()[:-500]), "a.jpg")


PLAIN = [to_bytes(noise(3)), imagecodecs.png_encode(noise(3, dtype="uint16")), b"x"]


@pytest.mark.parametrize("content", PLAIN, ids=["8 bit", "16 bit", "none"])
def test_what_is_in_no_inks_is_left_to_others(content):
    assert read_inks(io.BytesIO(content), "a.png") is None


def dicom(values, **fields):
    found = pydicom.Dataset()
    found.file_meta = pydicom.dataset.FileMetaDataset()
    found.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID = pydicom.uid.generate_uid()
    found.Rows, found.Columns = values.shape
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated = found.BitsStored = 16
    found.HighBit, found.PixelRepresentation = 15, 0
    found.PixelData = values.astype("<u2").tobytes()
    for name, value in fields.items():
        setattr(found, name, value)
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, found, enforce_file_format=True)
    return stream.getvalue()


def test_dicom_is_rescaled_and_windowed():
    values = np.arange(20).reshape(4, 5) * 100
    plain = read(dicom(values, RescaleSlope=2, RescaleIntercept=-1000), "a.dcm")
    assert np.array_equal(plain[..., 0], values * 2 - 1000)
    window = {"WindowCenter": 500, "WindowWidth": 400}
    shown = read(dicom(values, RescaleSlope=2, RescaleIntercept=-1000, **window), "a.dcm")[..., 0]
    inside = (values * 2 - 1000 > 300) & (values * 2 - 1000 < 700)
    assert len(np.unique(shown[~inside])) == 2 and (np.diff(shown[inside]) > 0).all()


def test_dicom_where_low_is_white_is_inverted_and_said(tmp_path):
    values = np.arange(20).reshape(4, 5)
    content = dicom(values, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(read(content, "a.dcm")[..., 0], -values)
    data = open_data(
        folder(
            tmp_path, (".dcm", content), (".dcm", dicom(values + 3, PhotometricInterpretation="MONOCHROME1"))
        )
    )
    assert any("window" in note for note in data.notes)
    assert data.codec.suffix == ".tif"


@pytest.mark.parametrize(
    ("module", "extra", "suffix", "content"),
    [
        ("tifffile", "tiff", ".tif", to_tiff(noise(3, dtype="uint16"), photometric="rgb")),
        ("imagecodecs", "tiff", ".png", imagecodecs.png_encode(noise(3, dtype="uint16"))),
        ("pydicom", "dicom", ".dcm", dicom(np.ones((3, 3)))),
    ],
)
def test_missing_parts_are_named(tmp_path, monkeypatch, module, extra, suffix, content):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"tenfold\[{extra}\]"):
        open_data(folder(tmp_path, (suffix, content), (suffix, content)))


def huge_png(side):
    # Large by its header alone; no memory for it may be taken.
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


BAD = {
    "text": (b"once upon a time", "not an image"),
    "empty": (b"", "not an image"),
    "huge": (huge_png(20_000), "100 megapixels"),
    "large": (huge_png(10_001), "10001x10001 pixels, above 100 megapixels"),
    "cut": (to_bytes(noise(3, (64, 64)), "JPEG")[:900], "truncated"),
    "cut png": (to_bytes(noise(3, (64, 64)))[:900], "truncated|broken|eof"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_image_is_named_counted_and_can_be_skipped(tmp_path, kind):
    content, why = BAD[kind]
    suffix = ".jpg" if kind == "cut" else ".png"
    good = [to_bytes(noise(3, (64, 64), seed=i), "JPEG" if kind == "cut" else "PNG") for i in range(2)]
    folder(tmp_path, (suffix, good[0]), (suffix, content), (suffix, good[1]))
    with pytest.raises(DataError, match=rf"(?i)1 of 3 images .*first: 01{suffix}, .*({why}).*--skip-bad"):
        open_data(tmp_path)
    data = open_data(tmp_path, LoadOptions(skip_bad=True))
    assert data.train.names == (f"00{suffix}", f"02{suffix}")
    assert any("1 images cannot be read" in note for note in data.notes)
    report = check(tmp_path)
    assert [name for name, _ in report.bad] == [f"01{suffix}"] and report.count == 2
    assert any("--skip-bad" in problem for problem in report.problems)


def test_nothing_readable(tmp_path):
    with pytest.raises(DataError, match=r"No image .*\(3 cannot, first: 00.png, not an image"):
        open_data(folder(tmp_path, *[(".png", b"x")] * 3), LoadOptions(skip_bad=True))


def test_mixed_channels_are_never_converted(tmp_path):
    files = [(".png", to_bytes(noise(3)))] * 4 + [(".png", to_bytes(noise(1)))]
    with pytest.raises(DataError, match=r"4 RGB, 1 L \(first: 04.png\).*convert"):
        open_data(folder(tmp_path, *files))
    assert "1 L" in check(tmp_path).problems[0]


def test_mixed_depth_is_refused(tmp_path):
    deep = imagecodecs.png_encode(noise(1, dtype="uint16").squeeze())
    files = [(".png", to_bytes(noise(1)))] * 2 + [(".png", deep)]
    with pytest.raises(DataError, match=r"depth: 2 uint8, 1 uint16 \(first: 02.png\)"):
        open_data(folder(tmp_path, *files))


def test_floats_that_are_not_finite_are_bad(tmp_path):
    values = noise(1, dtype="float32").squeeze()
    broken = values.copy()
    broken[0, 0] = np.nan
    with pytest.raises(DataError, match=r"1 of 3 .*first: 02.tif, holds NaN"):
        open_data(
            folder(tmp_path, (".tif", to_tiff(values)), (".tif", to_tiff(values)), (".tif", to_tiff(broken)))
        )
