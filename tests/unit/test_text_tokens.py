"""Texts to token numbers and back: characters exactly, words up to blanks, pairs of bytes exactly."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.data.texts import tokens as module
from tenfold.data.texts.layout import END, PAD, SPECIAL, START, UNKNOWN
from tenfold.data.texts.pieces import pieces
from tenfold.data.texts.tokens import (
    BytePairs,
    Characters,
    Words,
    choose_tokens,
    make_caption_tokens,
    make_tokens,
    tokens_from_json,
)
from tenfold.errors import DataError, MissingExtra

ANY = st.lists(st.text(), min_size=1, max_size=5)
SOME = ["a cat sat.", "the cat (a big one) sat,  too", "日本 cats aren't re-used"]


def back(tokens, texts):
    return tokens.decode(tokens.encode(texts))


@given(ANY)
@settings(deadline=None)
def test_characters_come_back_exactly(texts):
    tokens = Characters.fit(texts)
    assert back(tokens, texts) == texts
    assert all(row.dtype == np.int32 and (row >= SPECIAL).all() for row in tokens.encode(texts))


@given(ANY)
@settings(deadline=None)
def test_words_come_back_up_to_blanks(texts):
    assert back(Words.fit(texts), texts) == [" ".join(text.split()) for text in texts]


@given(st.text())
@settings(deadline=None)
def test_pieces_leave_nothing_out(text):
    assert "".join(pieces(text)).split() == text.split()


@given(ANY)
@settings(deadline=None, max_examples=20)
def test_pairs_of_bytes_come_back_exactly(texts):
    pytest.importorskip("tokenizers")
    tokens = BytePairs.fit(SOME, 300)
    assert back(tokens, texts) == texts
    assert tokens.size <= 300


def test_pieces():
    assert list(pieces(SOME[2])) == [" 日", "本", " cats", " aren't", " re-used"]
    assert list(pieces('He said: "no" -- twice')) == [
        *(" He", " said", ":", ' "', "no", '"', " -", "-", " twice"),
    ]
    assert list(pieces("हिन्दी में")) == [" हिन्दी", " में"]


def test_the_commonest_are_kept_and_others_are_unknown():
    words = Words.fit(["b b a", "b a c"], SPECIAL + 2)
    assert words.vocabulary == (" b", " a")
    assert words.encode(["a b c"])[0].tolist() == [5, 4, UNKNOWN]
    assert words.unknown("c a c d") == ["c", "d"]
    letters = Characters.fit(["bba", "bac"], SPECIAL + 2)
    assert letters.alphabet == "ab"
    assert letters.encode(["cab~"])[0].tolist() == [UNKNOWN, 4, 5, UNKNOWN]
    assert letters.unknown("cabc") == ["c"]
    assert back(words, ["a c b"]) == ["a <unk> b"]
    assert back(letters, ["acb"]) == ["a\ufffdb"]


def test_a_word_right_behind_a_sign_is_taken_for_the_one_behind_a_blank():
    words = Words.fit(["a cat (sat)"])
    assert words.vocabulary == (" (", " a", " cat", ")", "sat")
    assert words.encode(["(cat"])[0].tolist() == words.encode(["( cat"])[0].tolist()
    assert back(words, ["(cat", "(sat"]) == ["( cat", "(sat"]
    assert words.unknown("(cat") == [] and words.unknown("(cow") == ["cow"]
    assert words.unknown("a sat") == ["sat"]  # or it would be written asat


@pytest.mark.parametrize("kind", ["characters", "words", "bpe"])
def test_what_is_saved_is_the_same_later(kind):
    if kind == "bpe":
        pytest.importorskip("tokenizers")
    tokens, why = make_tokens(kind, SOME)
    again = tokens_from_json(json.loads(json.dumps(tokens.to_json())))
    assert why == "asked for"
    assert (again.kind, again.size) == (kind, tokens.size)
    for text, a, b in zip(SOME, tokens.encode(SOME), again.encode(SOME), strict=True):
        assert a.tolist() == b.tolist()
        assert back(again, [text])[0].split() == text.split()


@pytest.mark.parametrize("kind", [Characters, Words])
def test_tokens_that_are_no_part_of_a_text_are_left_out(kind):
    tokens = kind.fit(["a b"])
    (row,) = tokens.encode(["a b"])
    assert tokens.decode([np.array([START, *row, END, PAD])]) == ["a b"]
    assert tokens.decode([np.array([], np.int64)]) == [""]


@pytest.mark.parametrize(
    ("texts", "kind", "why"),
    [
        (["今天天气很好", "我们去公园玩 GAN"], "characters", "no blanks between words"),
        (["สวัสดี ครับ"], "characters", "no blanks between words"),
        (["one two", "two three"] * 20, "words", "3 different words occur 27 times each on average"),
        (["Anna", "Bert", "Carla"], "characters", "only 9 different characters"),
    ],
)
def test_tokens_are_chosen_by_what_there_is(texts, kind, why):
    tokens, reason = choose_tokens(texts)
    assert tokens.kind == kind
    assert why in reason


def many_words():
    random = np.random.default_rng(0)
    return ["".join(random.choice(list("abcdefgh"), 6)) for _ in range(100)]


def test_pairs_of_bytes_are_chosen_for_much_text_of_many_words(monkeypatch):
    pytest.importorskip("tokenizers")
    monkeypatch.setattr(module, "LITTLE", 100)
    tokens, why = choose_tokens(many_words())
    assert tokens.kind == "bpe"
    assert "too many for words" in why


@pytest.mark.parametrize(("most", "kind"), [(10_000, "words"), (20, "characters")])
def test_without_the_library_others_stand_in_and_that_is_said(monkeypatch, most, kind):
    monkeypatch.setattr(module, "LITTLE", 100)
    monkeypatch.setattr(module, "MOST", most)
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    tokens, why = choose_tokens(many_words())
    assert tokens.kind == kind
    assert 'pip install "tenfold[texts]"' in why
    with pytest.raises(MissingExtra, match="BPE"):
        make_tokens("bpe", many_words())


def test_what_cannot_be_asked_for():
    with pytest.raises(DataError, match="Did you mean 'words'"):
        make_tokens("word", SOME)
    with pytest.raises(DataError, match="at least 260"):
        BytePairs.fit(SOME, 100)


def test_words_of_captions_are_known_however_few_there_are():
    few = [f"a {colour} bird" for colour in ("red", "blue", "green")]
    assert make_tokens("auto", few)[0].kind == "characters"
    tokens, _ = make_caption_tokens("auto", few)
    assert tokens.kind == "words" and tokens.unknown("a purple bird") == ["purple"]
    assert make_caption_tokens("auto", many_words())[0].kind == "words"
    assert make_caption_tokens("characters", few)[0].kind == "characters"
    assert make_caption_tokens("auto", ["\u7ea2\u8272\u7684\u9e1f"])[0].kind == "characters"
    assert make_caption_tokens("auto", few, 6)[0].size == 6
