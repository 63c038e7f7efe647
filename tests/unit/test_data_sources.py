"""Folders, splits, tables, archives and named sets; and what is said when they are not as they should be."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import stat
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from tenfold.data import LoadOptions, named, open_data, tree
from tenfold.errors import DataError


def put(path, value=0, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(value).integers(0, 256, (*size, 3), dtype=np.uint8)
    values[0, 0] = value
    Image.fromarray(values).save(path)


def fill(folder, count=3, start=0, name="{}.png"):
    for number in range(start, start + count):
        put(folder / name.format(number), number % 256)


def classes(data):
    return dict(zip(data.spec.classes, data.spec.class_counts, strict=True))


def test_flat_folder(tmp_path):
    fill(tmp_path, 5)
    data = open_data(tmp_path)
    assert data.spec.kind == "images" and data.spec.shape == (3, 8, 8) and data.spec.count == 5
    assert data.train.names == tuple(f"{n}.png" for n in range(5))
    assert data.train.values[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert data.train.labels is None and data.spec.classes == () and data.holdout is None
    assert any("5 are fewer than 80" in note for note in data.notes)


def test_folder_per_class(tmp_path):
    fill(tmp_path / "b", 2)
    fill(tmp_path / "a" / "deep", 3)
    data = open_data(str(tmp_path))
    assert classes(data) == {"a": 3, "b": 2}
    assert data.train.labels.dtype == np.int64 and data.train.labels.tolist() == [0, 0, 0, 1, 1]


def test_class_folders_that_are_empty_are_said(tmp_path):
    for name in ("a", "b", "c"):
        fill(tmp_path / name, 10)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no image")
    data = open_data(tmp_path)
    assert data.spec.classes == ("a", "b", "c")
    assert any("2 of 5 folders hold no image and are no classes (first: empty)" in n for n in data.notes)


def test_images_that_are_all_the_same_are_refused(tmp_path):
    for name in "abcdefgh":
        put(tmp_path / f"{name}.png", 7)
    with pytest.raises(DataError, match="Every image is the same"):
        open_data(tmp_path)


def test_classes_that_are_numbers_are_in_their_order(tmp_path):
    for name in ("10", "9", "2"):
        fill(tmp_path / name, 2)
    assert open_data(tmp_path).spec.classes == ("2", "9", "10")


def test_one_folder_around_everything_is_no_class(tmp_path):
    fill(tmp_path / "cats", 3)
    assert open_data(tmp_path).spec.classes == ()
    fill(tmp_path / "cats" / "a", 3)
    data = open_data(tmp_path)
    assert data.spec.classes == () and any("not taken for classes" in note for note in data.notes)


def test_a_class_with_one_image_is_said(tmp_path):
    fill(tmp_path / "a", 3)
    fill(tmp_path / "b", 1)
    data = open_data(tmp_path)
    assert classes(data) == {"a": 3, "b": 1} and any("single image (first: b)" in note for note in data.notes)


def test_splits(tmp_path):
    for split, count in (("training", 6), ("Validation", 3), ("test", 2)):
        fill(tmp_path / split / "x", count)
        fill(tmp_path / split / "y", count)
    data = open_data(tmp_path)
    assert (len(data.train), len(data.holdout)) == (12, 6)
    assert classes(data) == {"x": 6, "y": 6} and data.holdout.labels.tolist() == [0] * 3 + [1] * 3
    tested = open_data(tmp_path, LoadOptions(split="test"))
    assert len(tested.train) == 4 and tested.holdout is None
    assert len({data.fingerprint, tested.fingerprint}) == 2


def test_test_images_are_never_held_out(tmp_path):
    fill(tmp_path / "train", 100)
    fill(tmp_path / "test", 90, start=100)
    data = open_data(tmp_path)
    assert len(data.train) + len(data.holdout) == 100
    assert max(data.train.values[:, 0, 0, 0].max(), data.holdout.values[:, 0, 0, 0].max()) < 100
    assert len(open_data(tmp_path, LoadOptions(split="test")).train) == 90


def test_images_beside_splits_are_a_question(tmp_path):
    fill(tmp_path / "train", 2)
    fill(tmp_path / "cats", 2)
    with pytest.raises(DataError, match="2 images beside them"):
        open_data(tmp_path)


@pytest.mark.parametrize(("split", "words"), [("test", "it has: train"), ("tset", "Did you mean 'test'")])
def test_a_split_that_is_not_there(tmp_path, split, words):
    fill(tmp_path, 2)
    with pytest.raises(DataError, match=words):
        open_data(tmp_path, LoadOptions(split=split))


def write_csv(path, rows):
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("name", ["metadata.csv", "anything.csv", "metadata.jsonl"])
@pytest.mark.parametrize("file_column", ["file_name", "image"])
def test_table(tmp_path, name, file_column):
    fill(tmp_path / "deep", 4)
    rows = [("deep/0.png", "x"), ("deep/2.png", "y"), ("./deep/1.png", "x")]
    if name.endswith("csv"):
        write_csv(tmp_path / name, [f"{file_column},label", *(f"{file},{label}" for file, label in rows)])
    else:
        lines = [json.dumps({file_column: file, "label": label, "text": None}) for file, label in rows]
        write_csv(tmp_path / name, lines)
    for source in (tmp_path, tmp_path / name):
        data = open_data(source)
        assert data.train.values[:, 0, 0, 0].tolist() == [0, 1, 2]
        assert data.train.labels.tolist() == [0, 0, 1] and data.spec.classes == ("x", "y")
        assert any("1 images that" in note for note in data.notes)


def test_table_of_splits(tmp_path):
    for split in ("train", "val", "test"):
        fill(tmp_path / split, 3)
    rows = [f"{split}/{n}.png,{n % 2}" for split in ("train", "val", "test") for n in range(3)]
    table = write_csv(tmp_path / "metadata.csv", ["file,label", *rows])
    for source in (tmp_path, table):
        data = open_data(source)
        assert data.train.names == ("train/0.png", "train/1.png", "train/2.png")
        assert data.holdout.names[0] == "val/0.png" and data.holdout.labels.tolist() == [0, 1, 0]
    fill(tmp_path, 1)
    write_csv(table, ["file,label", *rows, "0.png,1"])
    with pytest.raises(DataError, match="1 beside them"):
        open_data(tmp_path)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["file,label", "0.png,a", "7.png,b", "8.png,b"], r"2 of the 3 files .* missing \(first: '7.png'"),
        (["file,label", "../0.png,a"], "1 of the 1 files"),
        (["picture,label", "0.png,a"], "no column of file names. Found: picture, label"),
        (["file,label", "0.png,a", "0.png,b"], "name a file that another row names"),
        (["file,label", "0.png,a", "1.png,"], "1 of 2 rows .* have no label"),
    ],
)
def test_bad_tables(tmp_path, rows, words):
    fill(tmp_path / "in", 2)
    write_csv(tmp_path / "in" / "metadata.csv", rows)
    with pytest.raises(DataError, match=words):
        open_data(tmp_path / "in")


def test_damaged_jsonl_names_its_line(tmp_path):
    fill(tmp_path, 2)
    write_csv(tmp_path / "metadata.jsonl", ['{"file": "0.png"}', "{oops"])
    with pytest.raises(DataError, match=r"Line 2 of metadata\.jsonl"):
        open_data(tmp_path)


def test_groups_from_a_column_stay_together(tmp_path):
    fill(tmp_path, 100)
    write_csv(tmp_path / "metadata.csv", ["file,patient", *(f"{n}.png,{n // 5}" for n in range(100))])
    data = open_data(tmp_path, LoadOptions(group="patient"))
    patients = [{int(name[:-4]) // 5 for name in side.names} for side in (data.train, data.holdout)]
    assert not patients[0] & patients[1] and len(data.holdout) == 25
    with pytest.raises(DataError, match="Did you mean 'patient'"):
        open_data(tmp_path, LoadOptions(group="patent"))


def test_groups_from_file_names_stay_together(tmp_path):
    for name in range(20):
        fill(tmp_path, 5, name=f"p{name}_{{}}.png")
    data = open_data(tmp_path, LoadOptions(group="prefix"))
    people = [{name.split("_")[0] for name in side.names} for side in (data.train, data.holdout)]
    assert not people[0] & people[1] and len(data.holdout) > 0
    with pytest.raises(DataError, match="has no table"):
        open_data(tmp_path, LoadOptions(group="patient"))


def test_holdout_given(tmp_path):
    fill(tmp_path / "real" / "a", 3)
    fill(tmp_path / "real" / "b", 3)
    for number in range(4):
        put(tmp_path / "held" / "b" / f"{number}.png", number, (16, 24))
    data = open_data(tmp_path / "real", LoadOptions(holdout=str(tmp_path / "held" / "b")))
    assert len(data.holdout) == 4 and data.holdout.values.shape[1:] == (3, 8, 8)
    assert data.holdout.labels is None and len(data.train) == 6
    assert any("hold-out has no labels" in note for note in data.notes)


def test_holdout_with_another_class_or_kind(tmp_path):
    for name in "ab":
        fill(tmp_path / "real" / name, 3)
        fill(tmp_path / "held" / f"{name}b", 3)
    with pytest.raises(DataError, match=r"class 'ab' \(2 such\)"):
        open_data(tmp_path / "real", LoadOptions(holdout=str(tmp_path / "held")))
    (tmp_path / "grey").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "grey" / "0.png")
    with pytest.raises(DataError, match="hold-out is L uint8, the training data are RGB uint8"):
        open_data(tmp_path / "real", LoadOptions(holdout=str(tmp_path / "grey")))


def test_what_is_ignored_is_counted(tmp_path):
    fill(tmp_path / "in", 2)
    for name in (".DS_Store", "__MACOSX/0.png", ".hidden/1.png", "notes.txt"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text("x")
    put(tmp_path / "outside.png")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "outside.png")
    (tmp_path / "in" / "loop").symlink_to(tmp_path)
    data = open_data(tmp_path / "in")
    assert len(data.train) == 2
    assert any("1 files that are not images" in note and "notes.txt" in note for note in data.notes)
    assert any("2 links that lead out" in note for note in data.notes)


def test_a_link_that_stays_inside_is_followed(tmp_path):
    fill(tmp_path, 2)
    (tmp_path / "again.png").symlink_to(tmp_path / "0.png")
    assert len(open_data(tmp_path).train) == 3


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere", "no file or folder .*nowhere"),
        ("minst", "Did you mean 'mnist'"),
        ("empty", "No images were found in .*: it holds no files"),
        ("texts", r"1 files with \.txt"),
        ("one", "A single image that can be read.*at least 2"),
        ("one/0.png", "single image"),
        ("texts/a.txt", "not something that holds images"),
        ("bad.zip", "not a zip archive"),
    ],
)
def test_sources_that_cannot_be_used(tmp_path, monkeypatch, source, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("x")
    (tmp_path / "bad.zip").write_text("x")
    fill(tmp_path / "one", 1)
    with pytest.raises(DataError, match=words):
        open_data(source)


@pytest.mark.parametrize("size", [0, -3])
def test_size_must_be_a_size(tmp_path, size):
    fill(tmp_path, 2)
    with pytest.raises(DataError, match="--size"):
        open_data(tmp_path, LoadOptions(size=size))


def test_mixed_sizes_are_resized_and_padding_is_said(tmp_path):
    put(tmp_path / "0.png", 0, (100, 150))
    put(tmp_path / "1.png", 1, (200, 300))
    data = open_data(tmp_path, LoadOptions(size=30))
    assert data.spec.shape == (3, 20, 32)
    assert (data.codec.height, data.codec.width) == (20, 30)
    assert data.codec.decode(data.codec.encode(data.train.values)).shape == (2, 20, 30, 3)
    assert any("resized to 30x20 (was 150x100 to 300x200)" in note for note in data.notes)
    assert any("padded 30x20 to 32x20" in note for note in data.notes)
    assert any("--size" in note for note in open_data(tmp_path).notes)


def zip_of(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_zip_is_read_like_its_folder(tmp_path):
    for split in ("train", "val"):
        fill(tmp_path / "in" / "all" / split / "a", 3)
        fill(tmp_path / "in" / "all" / split / "b", 3)
    files = [
        (str(p.relative_to(tmp_path / "in")), p.read_bytes())
        for p in sorted((tmp_path / "in").rglob("*.png"))
    ]
    archive = zip_of(tmp_path / "all.zip", [*files, ("__MACOSX/x.png", b"x")])
    folder, zipped = open_data(tmp_path / "in"), open_data(archive)
    assert np.array_equal(folder.train.values, zipped.train.values)
    assert np.array_equal(folder.holdout.labels, zipped.holdout.labels)


@pytest.mark.parametrize(
    "name", ["../out.png", "/etc/out.png", "a/../../out.png", "..\\out.png", "C:/out.png"]
)
def test_zip_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="leads out"):
        open_data(zip_of(tmp_path / "a.zip", [(name, b"x")]))
    assert not list(tmp_path.parent.glob("out.png"))


def test_zip_links_are_not_followed(tmp_path):
    fill(tmp_path, 2)
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    files = [(f"{n}.png", (tmp_path / f"{n}.png").read_bytes()) for n in range(2)]
    data = open_data(zip_of(tmp_path / "a.zip", [*files, (link, "/etc/passwd")]))
    assert len(data.train) == 2 and any("1 links" in note for note in data.notes)


def test_zip_bomb_is_a_bad_image(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "LARGEST_MEMBER_BYTES", 10_000)
    fill(tmp_path, 2)
    files = [(f"{n}.png", (tmp_path / f"{n}.png").read_bytes()) for n in range(2)]
    bomb = zip_of(tmp_path / "a.zip", [*files, ("z.png", b"\0" * 50_000)], compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match=r"first: z\.png, unpacks to more than"):
        open_data(bomb)


def test_zip_member_that_is_damaged(tmp_path):
    fill(tmp_path, 3)
    files = [(f"{n}.png", (tmp_path / f"{n}.png").read_bytes()) for n in range(3)]
    archive = zip_of(tmp_path / "a.zip", files)
    content = bytearray(archive.read_bytes())
    content[100] ^= 255
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"1 of 3 .*first: 0.png, damaged in the archive"):
        open_data(archive)


@pytest.mark.parametrize(
    ("method", "at"), [(zipfile.ZIP_DEFLATED, 35), (zipfile.ZIP_BZIP2, 40), (zipfile.ZIP_LZMA, 40)]
)
def test_zip_member_whose_packing_is_damaged(tmp_path, method, at):
    fill(tmp_path, 3)
    files = [(f"{n}.png", (tmp_path / f"{n}.png").read_bytes()) for n in range(3)]
    archive = zip_of(tmp_path / "a.zip", files, compression=method)
    content = bytearray(archive.read_bytes())
    content[at : at + 20] = b"\xff" * 20
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"1 of 3 .*first: 0.png, damaged in the archive"):
        open_data(archive)


def test_digits():
    data = open_data("digits")
    assert data.spec.shape == (1, 8, 8) and len(data.train) + len(data.holdout) == 1797
    assert data.train.values.dtype == np.uint8 and data.train.values.max() == 255
    assert data.spec.classes == tuple("0123456789")
    assert not data.train.values.flags.writeable


def idx(values):
    head = struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(head + values.astype(np.uint8).tobytes())


def idx_folder(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", 90), ("t10k", 5)):
        images = np.random.default_rng(count).integers(0, 256, (count, 6, 6))
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(images))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(np.arange(count) % 3))
    return folder


def test_named_set_from_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    idx_folder(tmp_path / "mnist")
    data = open_data("mnist")
    assert (len(data.train), len(data.holdout)) == (68, 22) and data.spec.classes == ("0", "1", "2")
    assert len(open_data("mnist", LoadOptions(split="test")).train) == 5


def test_named_set_is_not_fetched_unasked(tmp_path, monkeypatch):
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    monkeypatch.setattr(named, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.delenv("TENFOLD_DOWNLOAD", raising=False)
    with pytest.raises(DataError, match="TENFOLD_DOWNLOAD=1"):
        open_data("fashion-mnist")


@pytest.mark.parametrize("damaged", [False, True])
def test_named_set_is_fetched_and_checked(tmp_path, monkeypatch, damaged):
    published = idx_folder(tmp_path / "published")
    sums = {p.name: hashlib.md5(p.read_bytes()).hexdigest() for p in sorted(published.iterdir())}
    if damaged:
        (published / "train-images-idx3-ubyte.gz").write_bytes(b"other")
    monkeypatch.setitem(named.PUBLISHED, "mnist", named.Published(published.as_uri(), sums))
    monkeypatch.setattr(named, "SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path / "own"))
    monkeypatch.setenv("TENFOLD_DOWNLOAD", "1")
    if damaged:
        with pytest.raises(DataError, match="not the published file"):
            open_data("mnist")
        assert "train-images-idx3-ubyte.gz" not in os.listdir(tmp_path / "own" / "mnist")
    else:
        assert open_data("mnist").spec.count == 68
        published.rename(tmp_path / "gone")
        assert open_data("mnist").spec.count == 68
