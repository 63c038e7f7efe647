"""Texts to rows and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.data.texts.codec import LONGEST, TextCodec, choose_length, fit_text_codec
from tenfold.data.texts.layout import END, PAD, TextLayout
from tenfold.data.texts.options import TextOptions
from tenfold.errors import DataError

CHARACTERS = TextOptions(tokens="characters")


def codec_of(texts, options=CHARACTERS, **more):
    return fit_text_codec(texts, options, **more)[0]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
@settings(deadline=None)
def test_rows_come_back(texts):
    codec = codec_of([*texts, "ab"], TextOptions(tokens="characters", length=21))
    rows, cut = codec.rows_of(texts)
    assert cut == 0
    assert rows.shape == (len(texts), 21)
    assert rows.dtype == np.int64
    assert codec.decode(rows) == texts
    assert codec.decode(torch.from_numpy(rows)) == texts


def test_a_row_is_tokens_then_the_end_then_padding():
    codec = codec_of(["ab", "b"])
    assert codec.layout == TextLayout(length=3, vocabulary=6)
    assert codec.shape == (3,)
    assert codec.encode(["b", "", "aa"]).tolist() == [[5, END, PAD], [END, PAD, PAD], [4, 4, END]]
    assert codec.encode([]).shape == (0, 3)


def test_longer_texts_are_cut_without_an_end_and_counted():
    rows, cut = codec_of(["ab", "b"]).rows_of(["aba", "abab", "ab"])
    assert rows.tolist() == [[4, 5, 4], [4, 5, 4], [4, 5, END]]
    assert cut == 1


def test_what_comes_after_the_end_is_left_out():
    codec = codec_of(["ab", "b"])
    assert codec.decode(np.array([[4, END, 5], [4, PAD, 5], [4, 5, 5]])) == ["a", "a", "abb"]
    assert codec.decode(np.empty((0, 3), np.int64)) == []


def test_what_is_saved_is_the_same_later():
    source = codec_of(["12", "3"])
    codec = codec_of(["one two", "three"], TextOptions(tokens="words"), classes=("x", "y"), source=source)
    again = TextCodec.from_json(json.loads(json.dumps(codec.to_json())))
    assert again == codec
    assert again.source == source
    assert again.decode(again.encode(["three one"])) == ["three one"]


def test_capitals_are_kept_unless_they_are_folded():
    texts = ["Red", "red", "A"]
    plain, folded = codec_of(texts), codec_of(texts, captions=True)
    assert plain.decode(plain.encode(texts)) == texts and not plain.folded
    assert folded.decode(folded.encode(texts)) == ["red", "red", "a"]
    assert plain.unknown("aRED") == ["a", "E", "D"] and folded.unknown("aREDx") == ["x"]
    fields = folded.to_json()
    assert TextCodec.from_json(fields) == folded
    del fields["folded"]  # as it was written before there were two
    assert not TextCodec.from_json(fields).folded


def test_labels():
    codec = codec_of(["ab"], classes=("x", "y"))
    assert codec.labels_of(["y", "x", "y"]).tolist() == [1, 0, 1]
    with pytest.raises(DataError, match="no class 'z'"):
        codec.labels_of(["x", "z"])


def test_a_beginning():
    codec = codec_of(["a red cat", "a dog"], TextOptions(tokens="words"))
    assert codec.prefix("a dog").tolist() == codec.encode(["a dog"])[0, :2].tolist()
    with pytest.raises(DataError, match=r"2 parts of the beginning .* words .*: 'blue', 'cow'\."):
        codec.prefix("a blue cow")
    with pytest.raises(DataError, match="has 4 tokens; texts have at most 4"):
        codec.prefix("a red red cat")


def test_a_beginning_is_written_as_it_was_learnt_or_refused():
    codec = codec_of(["a cat (sat)", "a dog"], TextOptions(tokens="words"))
    assert codec.decode(codec.prefix("(sat")[None]) == ["(sat"]
    assert codec.decode(codec.prefix(" (  cat ")[None]) == ["( cat"]
    with pytest.raises(DataError, match=r"'\(cat' would be written '\( cat': .* behind blanks only"):
        codec.prefix("(cat")


@pytest.mark.parametrize("texts", [["aaa", "a", "aa"], ["a"]])
def test_a_vocabulary_of_one_is_refused(texts):
    with pytest.raises(DataError, match="one token, 'a'; there is nothing to learn"):
        codec_of(texts)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([1], 2),
        ([3, 5], 6),
        ([3] * 995 + [90] * 5, 4),
        ([LONGEST + 10] * 3, LONGEST),
        ([LONGEST - 1], LONGEST),
    ],
)
def test_the_length_holds_nearly_all(lengths, expected):
    assert choose_length(np.array(lengths)) == expected


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tokens": "wordz"}, "Did you mean 'words'"),
        ({"length": 1}, "at least 2"),
        ({"vocabulary": 5}, "at least 6"),
        ({"template": "a photo"}, "no place for the class"),
    ],
)
def test_options_that_can_never_be(fields, words):
    with pytest.raises(DataError, match=words):
        TextOptions(**fields)
