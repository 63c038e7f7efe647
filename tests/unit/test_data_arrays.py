"""Arrays: in memory, .npy, .npz and IDX; and what a split gives of them."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import torch

from tenfold.data import LoadOptions, open_data
from tenfold.data import images as images_module
from tenfold.errors import DataError


def noise(*shape, dtype="uint8"):
    return (np.random.default_rng(0).random(shape) * 255).astype(dtype)


@pytest.mark.parametrize(
    ("shape", "sample"),
    [((9, 8, 8), (1, 8, 8)), ((9, 8, 12, 3), (3, 8, 12)), ((9, 3, 8, 12), (3, 8, 12)), ((9, 5), (5,))],
)
def test_shapes(shape, sample):
    values = noise(*shape, dtype="float32")
    data = open_data(values)
    assert data.spec.shape == sample and data.spec.count == 9
    assert data.spec.kind == ("vectors" if len(shape) == 2 else "images")
    decoded = data.codec.decode(data.codec.encode(data.train.values))
    if shape[1:] == (3, 8, 12):
        decoded = decoded.transpose(0, 3, 1, 2)
    assert np.allclose(decoded.reshape(shape), values, atol=1e-4)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (noise(9, 3, 8, 3), "no doubt which is which"),
        (noise(9, 8, 8, 7), "no doubt which is which"),
        (noise(9), r"shape \(9,\)"),
        (noise(9, 8, 8, dtype="int64"), r"int64.*astype\('uint8'\)"),
        (noise(9, 8), r"vectors are floats"),
        (noise(1, 8, 8), "at least 2"),
        (np.full((9, 8, 8), np.inf), r"9 of 9 images .*first: 0, holds NaN"),
        (np.ones((9, 8, 8), np.float32), "Every value in the data is 1"),
        (np.full((9, 4), 2.5), "Every value in the data is 2.5"),
        (np.tile(np.arange(4.0), (9, 1)), "Every row of the data is the same"),
        (np.full((9, 4), np.nan), r"9 of 9 images .*first: 0, holds NaN"),
        (np.zeros((9, 0, 8), np.uint8), "are empty"),
        (np.array([[[None]]] * 3), "holds object"),
    ],
)
def test_arrays_that_cannot_be_used(values, words):
    with pytest.raises(DataError, match=words):
        open_data(values)


def test_npz_with_labels(tmp_path):
    np.savez(tmp_path / "a.npz", images=noise(9, 8, 8), labels=np.arange(9).reshape(9, 1) % 2)
    data = open_data(tmp_path / "a.npz")
    assert data.spec.classes == ("0", "1") and data.spec.class_counts == (5, 4)
    np.savez(tmp_path / "b.npz", images=noise(9, 8, 8), labels=np.arange(8))
    with pytest.raises(DataError, match="9 images but labels of the shape"):
        open_data(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", pictures=noise(9, 8, 8))
    with pytest.raises(DataError, match="holds pictures"):
        open_data(tmp_path / "c.npz")


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", images=np.array([{}], object))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(DataError, match="plain numbers"):
            open_data(tmp_path / name)


@pytest.mark.parametrize("limit", [1 << 30, 10])
def test_npy_in_memory_or_through_the_cache_is_the_same(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(images_module, "IN_MEMORY_BYTES", limit)
    values = noise(600, 7, 7)
    np.save(tmp_path / "a.npy", values)
    data = open_data(tmp_path / "a.npy")
    rows = np.array([int(name) for name in data.train.names])
    assert (len(rows) == 540 and data.spec.shape == (1, 8, 8)) or data.spec.shape == (1, 7, 7)
    decoded = data.codec.decode(data.codec.encode(data.train.values))
    assert np.array_equal(decoded[..., 0], values[rows])


def test_16_bit_values_survive(tmp_path):
    values = noise(9, 8, 8, dtype="uint16") * 200
    data = open_data(values)
    assert np.array_equal(data.codec.decode(data.codec.encode(data.train.values))[..., 0], values)
    assert any("very dark" in note for note in open_data(values // 200).notes)


@pytest.mark.parametrize("limit", [1 << 30, 10])
def test_every_feature_has_its_own_scale(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(images_module, "IN_MEMORY_BYTES", limit)
    random = np.random.default_rng(0)
    scales, offsets = np.array([1e5, 1e-3, 0, 1]), np.array([0, 0, 7.25, 1e4])
    values = (random.random((600, 4)) * scales + offsets).astype(np.float32)
    np.save(tmp_path / "a.npy", values)
    data = open_data(tmp_path / "a.npy")
    real = [split.gather(np.arange(len(split)))["real"] for split in (data.train, data.holdout)]
    encoded = torch.cat(real)
    assert encoded.amin(0).tolist() == [-1, -1, 0, -1] and encoded.amax(0).tolist() == [1, 1, 0, 1]
    rows = [int(name) for side in (data.train, data.holdout) for name in side.names]
    assert (abs(data.codec.decode(encoded) - values[rows]) <= 1e-6 * (scales + offsets)).all()
    assert any("each of 4 features" in note for note in data.notes)
    assert any("1 of 4 features never change (first: number 2," in note for note in data.notes)


def test_arrays_are_resized_when_asked():
    assert open_data(noise(9, 300, 200, 3)).spec.shape == (3, 64, 48)
    assert open_data(noise(9, 8, 8), LoadOptions(size=4)).spec.shape == (1, 4, 4)


def test_content_decides_the_fingerprint():
    first, second = noise(9, 8, 8), noise(9, 8, 8)
    assert open_data(first).fingerprint == open_data(second).fingerprint
    second[0, 0, 0] ^= 1
    assert open_data(first).fingerprint != open_data(second).fingerprint


def test_idx_without_gzip_and_with_damage(tmp_path):
    values = noise(9, 8, 8)
    content = struct.pack(">HBBIII", 0, 8, 3, 9, 8, 8) + values.tobytes()
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    assert np.array_equal(open_data(tmp_path).train.values[:, 0], values)
    assert np.array_equal(open_data(path).train.values[:, 0], values)
    path.write_bytes(content[:-5])
    with pytest.raises(DataError, match="571 bytes of values, expected 576"):
        open_data(tmp_path)
    path.write_bytes(gzip.compress(content)[:-20])
    with pytest.raises(DataError, match="damaged"):
        open_data(tmp_path)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_gather_is_encode_of_the_values(dtype):
    data = open_data(noise(40, 8, 8, 3, dtype=dtype))
    index = np.array([3, 3, 0, 39])
    batch = data.train.gather(index)
    assert list(batch) == ["real"] and batch["real"].dtype == torch.float32
    assert batch["real"].shape == (4, 3, 8, 8) and batch["real"].abs().max() <= 1
    assert torch.equal(batch["real"], data.codec.encode(data.train.values[index]))


def test_gather_gives_conditions(tmp_path):
    data = open_data("digits")
    batch = data.train.gather(np.array([5, 1]))
    assert batch["condition"].dtype == torch.int64
    assert batch["condition"].tolist() == data.train.labels[[5, 1]].tolist()
