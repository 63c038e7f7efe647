"""Opening texts and pairs of texts: what is held out, what batches hold, what is said."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from tenfold.data.order import Shuffled
from tenfold.data.texts.codec import TextCodec
from tenfold.data.texts.opening import open_text_pairs, open_texts
from tenfold.data.texts.options import TextOptions
from tenfold.errors import DataError

LINES = [f"number {n}" for n in range(100)]
PAIRS = [(str(n), "x" * (n % 7 + 1) + "y") for n in range(100)]


def texts_in(side, codec):
    return codec.decode(side.values)


def test_texts():
    data = open_texts(LINES)
    assert (data.spec.kind, data.spec.count) == ("texts", 75)
    assert data.spec.shape == (data.spec.text.length,) == (10,)
    assert data.spec.classes == ()
    assert data.train.values.dtype == np.int32
    both = [*texts_in(data.train, data.texts), *texts_in(data.holdout, data.texts)]
    assert sorted(both) == sorted(LINES)
    batch = data.train.gather(np.array([2, 0]))
    assert list(batch) == ["real"] and batch["real"].dtype == torch.int64
    assert data.texts.decode(batch["real"]) == [texts_in(data.train, data.texts)[i] for i in (2, 0)]
    assert data.notes[0] == "75 texts to learn from"
    assert any("tokens are characters" in note for note in data.notes)


def test_the_plain_codec_takes_rows_for_numbers():
    data = open_texts(LINES)
    numbers = data.codec.encode(data.train.values)
    assert data.codec.kind == "vectors" and data.codec.shape == data.spec.shape
    assert numbers.dtype == torch.float32 and numbers.abs().max() <= 1


def test_labels_are_conditions():
    data = open_texts([(line, "odd" if n % 2 else "even") for n, line in enumerate(LINES)])
    assert data.spec.classes == data.texts.classes == ("even", "odd")
    assert sum(data.spec.class_counts) == len(data.train)
    for side in (data.train, data.holdout):
        last = [int(text.split()[1]) % 2 for text in texts_in(side, data.texts)]
        assert side.labels.tolist() == last
    batch = Shuffled(data.train, 8, balanced=True)(0, slice(0, 8))
    assert sorted(batch) == ["condition", "real"]


def test_a_run_is_opened_again_with_its_codec(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\n".join(LINES))
    data = open_texts(path)
    codec = TextCodec.from_json(json.loads(json.dumps(data.texts.to_json())))
    again = open_texts(path, codec=codec)
    assert again.fingerprint == data.fingerprint
    assert np.array_equal(again.train.values, data.train.values)
    assert open_texts(path, TextOptions(seed=1)).fingerprint != data.fingerprint
    path.write_text("\n".join([*LINES[:-1], "number"]))
    assert open_texts(path).fingerprint != data.fingerprint
    json.dumps(asdict(data.spec))


@pytest.mark.parametrize("seed", range(5))
def test_copies_of_a_held_out_line_are_never_trained_on(seed):
    lines = [f"line {n % 60}" for n in range(150)]
    data = open_texts(lines, TextOptions(seed=seed))
    train, held = (texts_in(side, data.texts) for side in (data.train, data.holdout))
    assert not {*train} & {*held}
    assert sorted([*train, *held]) == sorted(lines)


@pytest.mark.parametrize("seed", range(5))
def test_nor_those_that_differ_in_blanks_alone(seed):
    lines = [f"line{' ' * (1 + n // 75)}{n % 75}" for n in range(150)]
    data = open_texts(lines, TextOptions(seed=seed, tokens="words"))
    train, held = (texts_in(side, data.texts) for side in (data.train, data.holdout))
    assert not {*train} & {*held} - {"line <unk>"} and len(train) + len(held) == 150


def test_nor_those_of_a_holdout_that_is_given(tmp_path):
    (tmp_path / "held.txt").write_text("number 3\nnumber 4\nnew")
    data = open_texts([*LINES, "number 3"], TextOptions(holdout=str(tmp_path / "held.txt")))
    train = texts_in(data.train, data.texts)
    assert len(train) == 98 and not {"number 3", "number 4"} & {*train}
    assert any("3 of 101 texts are held out, too" in note for note in data.notes)
    assert len(data.holdout) == 3


def test_tokens_are_those_of_what_is_learnt_from(tmp_path):
    (tmp_path / "held.txt").write_text("a\nzzzz zzzz zzzz")
    data = open_texts(LINES, TextOptions(holdout=str(tmp_path / "held.txt")))
    assert data.texts.tokens.unknown("z") == ["z"]
    assert any("1 of 2 held-out texts have more than 10 tokens and are cut" in note for note in data.notes)


def test_texts_that_are_longer_than_asked_for_are_cut_and_counted():
    data = open_texts(LINES, TextOptions(length=7))
    assert data.spec.shape == (7,)
    assert any("75 of 75 texts have more than 7 tokens and are cut" in note for note in data.notes)


def test_few_texts_are_all_learnt_from():
    data = open_texts(LINES[:20])
    assert data.holdout is None and len(data.train) == 20
    assert any("20 are fewer than 80" in note for note in data.notes)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["same"] * 100, "All 100 texts of a list of 100 texts are the same, 'same'"),
        (["one"], "has 1 texts to learn from; at least 2"),
        (["a", "aa", "a" * 5], "one token, 'a'"),
    ],
)
def test_texts_with_nothing_to_learn(lines, words):
    with pytest.raises(DataError, match=words):
        open_texts(lines)


def test_pairs():
    data = open_text_pairs(PAIRS)
    assert (data.spec.kind, data.spec.count) == ("text_pairs", 75)
    assert data.spec.text == data.texts.layout and data.spec.source_text == data.texts.source.layout
    batch = Shuffled(data.train, 10)(0, slice(2, 6))
    assert sorted(batch) == ["real", "source"]
    assert batch["source"].dtype == torch.int64 and batch["source"].shape == (4, 3)
    made, given = data.texts.decode(batch["real"]), data.texts.source.decode(batch["source"])
    assert all(dict(PAIRS)[a] == b for a, b in zip(given, made, strict=True))
    held = data.holdout.take(np.array([4, 1])).gather(np.arange(2))
    made, given = data.texts.decode(held["real"]), data.texts.source.decode(held["source"])
    assert all(dict(PAIRS)[a] == b for a, b in zip(given, made, strict=True))
    assert data.notes[0] == "75 pairs to learn from: target is made of source"


def test_a_source_that_is_held_out_is_never_trained_on():
    pairs = [(str(n % 60), f"{n} xy") for n in range(150)]
    data = open_text_pairs(pairs)
    codec = data.texts.source
    train, held = ({*codec.decode(side.beside.rows)} for side in (data.train, data.holdout))
    assert not train & held and len(train | held) == 60


def test_pairs_are_opened_again_with_their_codec():
    data = open_text_pairs(PAIRS)
    codec = TextCodec.from_json(json.loads(json.dumps(data.texts.to_json())))
    again = open_text_pairs(PAIRS, codec=codec)
    assert again.fingerprint == data.fingerprint
    assert np.array_equal(again.train.beside.rows, data.train.beside.rows)
    with pytest.raises(DataError, match="those of single texts"):
        open_text_pairs(PAIRS, codec=open_texts(LINES).texts)
