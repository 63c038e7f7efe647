"""Stored values to tensors, samples to files, and back."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tenfold.data.codec import FULL_RANGE, Codec
from tenfold.errors import DataError, MissingExtra


def make(channels=1, dtype="uint8", size=(4, 6), low=None, high=None, suffix=".png"):
    low, high = FULL_RANGE.get(dtype, (low, high))
    return Codec("images", channels, *size, *size, dtype, low, high, suffix)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_every_whole_value_survives(dtype):
    high = np.iinfo(dtype).max
    values = np.arange(high + 1, dtype=dtype).reshape(1, 1, 16, -1)
    codec = make(dtype=dtype, size=values.shape[2:])
    encoded = codec.encode(values)
    assert encoded.dtype == torch.float32
    assert encoded.min() == -1 and encoded.max() == 1
    assert np.array_equal(codec.decode(encoded), values.transpose(0, 2, 3, 1))


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=24, max_size=24))
def test_floats_survive_to_a_millionth_of_their_range(numbers):
    values = np.array(numbers, np.float32).reshape(1, 1, 4, 6)
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-3:
        return
    codec = make(dtype="float32", low=low, high=high, suffix=".tif")
    decoded = codec.decode(codec.encode(values))
    assert decoded.dtype == np.float32
    assert abs(decoded[..., 0] - values[:, 0]).max() <= 1e-6 * (high - low) + 1e-6 * abs(values).max()


def test_vectors_survive():
    codec = Codec("vectors", 5, 1, 1, 1, 1, "float32", -2.0, 2.0, ".npy")
    values = np.linspace(-2, 2, 10, dtype=np.float32).reshape(2, 5)
    assert codec.shape == (5,)
    assert np.allclose(codec.decode(codec.encode(values)), values, atol=1e-6)


def test_encoding_leaves_its_input_alone():
    values = np.ones((1, 1, 4, 6), np.float32)
    make(dtype="float32", low=0.0, high=4.0).encode(values)
    assert (values == 1).all()


def test_decoding_clips_rounds_and_crops():
    codec = Codec("images", 1, 2, 2, 4, 5, "uint8", 0.0, 255.0, ".png")
    samples = torch.full((1, 1, 4, 5), -9.0)
    samples[0, 0, 1, 1], samples[0, 0, 2, 2] = 9.0, 0.004
    assert codec.decode(samples)[0, :, :, 0].tolist() == [[255, 0], [0, 128]]
    assert codec.preview(samples).tolist() == codec.decode(samples).tolist()


def test_preview_of_floats_is_8_bit():
    codec = make(dtype="float32", low=-5.0, high=7.0)
    shown = codec.preview(torch.linspace(-1, 1, 24).reshape(1, 1, 4, 6))
    assert shown.dtype == np.uint8 and shown.min() == 0 and shown.max() == 255


def test_json():
    codec = make(3, "uint16")
    assert Codec.from_json(json.loads(json.dumps(codec.to_json()))) == codec


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_png_of_8_bit(tmp_path, channels, mode):
    image = np.random.default_rng(0).integers(0, 256, (4, 6, channels), dtype=np.uint8)
    make(channels).save(image, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as read:
        assert read.mode == mode
        assert np.array_equal(np.asarray(read).reshape(image.shape), image)


@pytest.mark.parametrize(
    ("dtype", "channels", "suffix"),
    [
        ("uint16", 1, ".png"),
        ("uint16", 1, ".tif"),
        ("uint16", 3, ".tif"),
        ("uint16", 4, ".tif"),
        ("float32", 1, ".tif"),
        ("float32", 3, ".tif"),
        ("float32", 3, ".npy"),
    ],
)
def test_deep_files(tmp_path, dtype, channels, suffix):
    image = (np.random.default_rng(0).random((4, 6, channels)) * 60000).astype(dtype)
    path = tmp_path / f"a{suffix}"
    make(channels, dtype, low=0.0, high=1.0).save(image, path)
    if suffix == ".png":
        read = np.asarray(Image.open(path))
    else:
        read = np.load(path) if suffix == ".npy" else tifffile.imread(path)
    assert read.dtype == dtype
    assert np.array_equal(read.reshape(image.shape), image)


def test_a_suffix_that_cannot_hold_the_values(tmp_path):
    with pytest.raises(DataError, match=r"float32 do not fit into \.png"):
        make(dtype="float32", low=0.0, high=1.0).save(np.zeros((4, 6, 1), np.float32), tmp_path / "a.png")


def test_missing_part_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(MissingExtra, match=r"tenfold\[tiff\]"):
        make(3, "uint16").save(np.zeros((4, 6, 3), np.uint16), tmp_path / "a.tif")
