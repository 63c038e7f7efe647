"""Decoded once, mapped afterwards; a key per content; a bounded folder."""

from __future__ import annotations

import os
import resource
import shutil
import time
from collections import namedtuple

import numpy as np
import pytest
from PIL import Image

from tenfold.data import LoadOptions, blocks, cache, open_data
from tenfold.data.images import LAYOUT
from tenfold.errors import DataError


def fill(folder, count=6, size=(8, 8)):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        values = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(values).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def reads(monkeypatch):
    seen = []
    real = blocks.read_values
    monkeypatch.setattr(blocks, "read_values", lambda *given: seen.append(given[1]) or real(*given))
    return seen


def test_second_time_nothing_is_decoded(tmp_path, reads):
    fill(tmp_path / "in")
    first = open_data(tmp_path / "in")
    assert len(reads) == 6
    second = open_data(tmp_path / "in")
    assert len(reads) == 6
    assert np.array_equal(first.train.values, second.train.values)
    assert (first.notes, first.spec, first.codec) == (second.notes, second.spec, second.codec)
    assert first.train.names == second.train.names
    assert not second.train.values.flags.writeable


def test_a_bad_header_is_said_before_anything_is_decoded(tmp_path, reads):
    (fill(tmp_path / "in") / "0.png").write_bytes(b"x")
    with pytest.raises(DataError, match="1 of 6"):
        open_data(tmp_path / "in")
    assert reads == []


def touch(folder):
    os.utime(folder / "0.png", ns=(1, 1))


def rename(folder):
    (folder / "0.png").rename(folder / "9.png")


def add(folder):
    shutil.copy(folder / "0.png", folder / "9.png")


def label(folder):
    (folder / "metadata.csv").write_text("file,label\n" + "".join(f"{n}.png,{n % 2}\n" for n in range(6)))


@pytest.mark.parametrize("change", [touch, rename, add, label])
def test_what_changes_the_key(tmp_path, reads, change):
    folder = fill(tmp_path / "in")
    before = open_data(folder).fingerprint
    change(folder)
    assert open_data(folder).fingerprint != before
    assert len(reads) > 6


def test_labels_and_options_change_the_key_and_moving_does_not(tmp_path):
    folder = fill(tmp_path / "in")
    keys = {
        open_data(folder, options).fingerprint
        for options in (LoadOptions(), LoadOptions(size=4), LoadOptions(seed=1))
    }
    assert len(keys) == 3
    label(folder)
    labelled = open_data(folder).fingerprint
    (folder / "metadata.csv").write_text((folder / "metadata.csv").read_text().replace("0.png,0", "0.png,1"))
    assert open_data(folder).fingerprint != labelled
    again = open_data(folder).fingerprint
    folder.rename(tmp_path / "moved")
    assert open_data(tmp_path / "moved").fingerprint == again


def test_a_damaged_entry_is_made_again(tmp_path, reads):
    fill(tmp_path / "in")
    key = key_of(open_data(tmp_path / "in"))
    (cache.cache_folder() / f"{key}.json").write_text("{")
    open_data(tmp_path / "in")
    assert len(reads) == 12
    (cache.cache_folder() / f"{key}.npy").write_bytes(b"x")
    open_data(tmp_path / "in")
    assert len(reads) == 18


def test_more_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_IMAGES", 4)
    data = open_data(fill(tmp_path / "in", 10))
    for number, name in enumerate(data.train.names):
        stored = np.asarray(Image.open(tmp_path / "in" / name)).transpose(2, 0, 1)
        assert np.array_equal(data.train.values[number], stored)


def test_skipped_images_leave_no_gap(tmp_path):
    fill(tmp_path / "in", 12)
    whole = (tmp_path / "in" / "10.png").read_bytes()
    (tmp_path / "in" / "10.png").write_bytes(whole[:150])
    data = open_data(tmp_path / "in", LoadOptions(skip_bad=True))
    assert len(data.train) == 11 == len(data.train.names)
    last = np.asarray(Image.open(tmp_path / "in" / "9.png")).transpose(2, 0, 1)
    assert data.train.names[-1] == "9.png" and np.array_equal(data.train.values[-1], last)


def left_behind():
    return sorted(path.name for path in cache.cache_folder().glob("*"))


def test_a_disk_that_is_too_small_is_said_beforehand(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, 100))
    with pytest.raises(DataError, match=r"need 0.0 MB in .*TENFOLD_CACHE"):
        open_data(fill(tmp_path / "in"))
    assert left_behind() == []


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path):
    folder = fill(tmp_path / "in", 40, (64, 64))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(DataError, match=r"need 0.5 MB in .*File too large"):
            open_data(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert left_behind() == []
    assert len(open_data(folder).train) == 40


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("TENFOLD_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="TENFOLD_CACHE"):
        open_data(fill(tmp_path / "in"))


def key_of(data):
    """Of its place in the cache; the fingerprint itself outlives a new layout."""
    return f"{data.fingerprint}-{LAYOUT}"


def age(key, seconds):
    then = time.time() - seconds
    os.utime(cache.cache_folder() / f"{key}.npy", (then, then))


def test_the_least_recently_used_goes_first_and_nothing_in_use(tmp_path, monkeypatch):
    oldest = open_data(fill(tmp_path / "a"))
    keys = [key_of(oldest), *(key_of(open_data(fill(tmp_path / name))) for name in "bc")]
    for position, key in enumerate(keys):
        age(key, 1000 - position)
    open_data(tmp_path / "b")
    monkeypatch.setenv(
        "TENFOLD_CACHE_GB", str(2.5 * os.path.getsize(cache.cache_folder() / f"{keys[0]}.npy") / 1e9)
    )
    cache.evict()
    kept = {name.split(".")[0] for name in left_behind()}
    assert kept == {keys[0], keys[1]}
    del oldest
    monkeypatch.setenv("TENFOLD_CACHE_GB", "0")
    cache.evict()
    assert left_behind() == []


@pytest.mark.parametrize("limit", ["x", "-1", "nan", "20 GB"])
def test_a_limit_that_is_no_number_is_refused_before_the_work(tmp_path, monkeypatch, reads, limit):
    monkeypatch.setenv("TENFOLD_CACHE_GB", limit)
    with pytest.raises(DataError, match=rf"TENFOLD_CACHE_GB is '{limit}'.*expected.*Set it"):
        open_data(fill(tmp_path / "in"))
    assert reads == [] and left_behind() == []


@pytest.mark.parametrize("limit", ["", "0.5", "inf"])
def test_limits_that_are_numbers(tmp_path, monkeypatch, limit):
    monkeypatch.setenv("TENFOLD_CACHE_GB", limit)
    assert len(open_data(fill(tmp_path / "in")).train) == 6
    assert len(left_behind()) == 2


def test_the_environment_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("TENFOLD_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "tenfold" / "decoded"
