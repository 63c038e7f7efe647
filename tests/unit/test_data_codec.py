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
    low, high = FULL_RANGE.get(dtype, ((low,), (high,)))
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
    codec = Codec("vectors", 5, 1, 1, 1, 1, "float32", (-2.0,) * 5, (2.0,) * 5, ".npy")
    values = np.linspace(-2, 2, 10, dtype=np.float32).reshape(2, 5)
    assert codec.shape == (5,)
    assert np.allclose(codec.decode(codec.encode(values)), values, atol=1e-6)


def test_features_far_from_zero_and_constant_ones():
    low, high = (1e6, -1e-6, 3.5, -3e38), (1e6 + 0.25, 1e-6, 3.5, 3e38)
    codec = Codec("vectors", 4, 1, 1, 1, 1, "float32", low, high, ".npy")
    values = np.array([low, high, np.add(np.divide(low, 2), np.divide(high, 2))], np.float32)
    encoded = codec.encode(values)
    assert encoded[:2].tolist() == [[-1, -1, 0, -1], [1, 1, 0, 1]]
    assert np.array_equal(codec.decode(encoded), values)
    assert (codec.decode(torch.full((1, 4), 0.7))[:, 2] == 3.5).all()


@pytest.mark.parametrize(("low", "high"), [(0.1, 3.7), (-1e-3, 1e4)])
def test_float_pixels_are_encoded_to_the_same_bits_as_ever(low, high):
    values = np.random.default_rng(0).uniform(low, high, (2, 1, 4, 6)).astype(np.float32)
    codec, middle, half = make(dtype="float32", low=low, high=high), (high + low) / 2, (high - low) / 2
    assert torch.equal(codec.encode(values), torch.from_numpy(values).sub(middle).div(half))


def test_encoding_leaves_its_input_alone():
    values = np.ones((1, 1, 4, 6), np.float32)
    make(dtype="float32", low=0.0, high=4.0).encode(values)
    assert (values == 1).all()
    Codec("vectors", 6, 1, 1, 1, 1, "float32", (0.0,) * 6, (4.0,) * 6, ".npy").encode(values[0, 0])
    assert (values == 1).all()


def test_decoding_clips_rounds_and_crops():
    codec = Codec("images", 1, 2, 2, 4, 5, "uint8", (0.0,), (255.0,), ".png")
    samples = torch.full((1, 1, 4, 5), -9.0)
    samples[0, 0, 1, 1], samples[0, 0, 2, 2] = 9.0, 0.004
    assert codec.decode(samples)[0, :, :, 0].tolist() == [[255, 0], [0, 128]]
    assert codec.preview(samples).tolist() == codec.decode(samples).tolist()


def test_preview_of_floats_is_8_bit():
    codec = make(dtype="float32", low=-5.0, high=7.0)
    shown = codec.preview(torch.linspace(-1, 1, 24).reshape(1, 1, 4, 6))
    assert shown.dtype == np.uint8 and shown.min() == 0 and shown.max() == 255


@pytest.mark.parametrize(
    "codec",
    [make(3, "uint16"), Codec("vectors", 2, 1, 1, 1, 1, "float32", (0.0, -1.0), (0.5, 9.0), ".npy")],
)
def test_json(codec):
    again = Codec.from_json(json.loads(json.dumps(codec.to_json())))
    assert again == codec and isinstance(again.low, tuple)


def test_json_of_before_every_feature_had_its_range():
    fields = {**make(2, "uint16").to_json(), "kind": "vectors", "dtype": "float32", "low": -2.0, "high": 4}
    codec = Codec.from_json(fields)
    assert (codec.low, codec.high) == ((-2.0,), (4.0,))
    values = np.array([[-2, 4], [1, 0]], np.float32)
    assert codec.encode(values)[0].tolist() == [-1, 1]
    assert np.allclose(codec.decode(codec.encode(values)), values, atol=1e-6)


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
