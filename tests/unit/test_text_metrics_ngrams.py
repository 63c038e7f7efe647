"""N-grams, copies and how sure numbers are, against what can be worked out by hand."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
import pytest

from tenfold.metrics.rows import Undefined
from tenfold.metrics.texts.copies import copied_spans, long_ones
from tenfold.metrics.texts.ngrams import (
    counted,
    distinct,
    matches,
    matches_among,
    matches_in_pairs,
    nearest_length,
    occurrences,
    repeated,
    windows,
)
from tenfold.metrics.texts.rows import Texts, bare, jackknife, lengths

A, B, C, D, E = range(4, 9)


def rows(*texts: list[int], width: int = 6) -> np.ndarray:
    """Each with its end and padding behind it, where they fit."""
    found = np.zeros((len(texts), width), np.int64)
    for row, text in zip(found, texts, strict=True):
        row[: len(text)] = text
        row[len(text) : len(text) + 1] = 2
    return found


def random_rows(n: int, width: int, words: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    long = random.integers(1, width + 1, n)
    return rows(*(random.integers(4, 4 + words, k).tolist() for k in long), width=width)


def test_a_text_ends_at_its_end_or_its_padding() -> None:
    some = np.array([[A, 2, B, C], [A, B, 0, C], [A, B, C, D], [0, A, A, A]])
    assert lengths(some).tolist() == [1, 2, 4, 0]
    assert bare(some).tolist() == [[A, 0, 0, 0], [A, B, 0, 0], [A, B, C, D], [0, 0, 0, 0]]


def test_texts_are_taken_with_what_belongs_to_them() -> None:
    some = Texts(rows([A], [B], [C]), ["a", "b", "c"], np.array([0, 1, 0])).take(np.array([2, 1]))
    assert some.rows[:, 0].tolist() == [C, B] and list(some.said) == ["c", "b"]
    assert some.labels is not None and some.labels.tolist() == [0, 1]
    assert Texts(rows([A], [B])).take(np.array([1])).said == ()


def test_different_runs_have_different_numbers() -> None:
    every = np.array([[i, j] for i in range(100) for j in range(100)])
    assert len(np.unique(windows(every, 2))) == 10_000
    assert windows(every, 3).shape == (10_000, 0)
    assert len(np.unique(windows(np.array([[A, B, A, B, A]]), 2))) == 2


def test_only_runs_within_a_text_count() -> None:
    keys, owner = occurrences(rows([A, B], [A], []), 2)
    assert len(keys) == 1 and owner.tolist() == [0]
    counts = counted(rows([A, B, A], [A]), 1)
    assert sorted(zip(counts.owner.tolist(), counts.count.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 1)]
    assert len(counted(rows([]), 1).keys) == 0


def test_bleu_of_one_text() -> None:
    found = matches(rows([A, B, C, D]), rows([A, B, C, E], [E, E]))
    assert found.matched[0, :3].tolist() == [3, 2, 1] and found.total[0, :3].tolist() == [4, 3, 2]
    assert found.bleu(1) == pytest.approx(3 / 4)
    assert found.bleu(2) == pytest.approx(sqrt(3 / 4 * 2 / 3))
    assert found.bleu(4) == 0


def test_a_word_counts_no_more_often_than_a_single_reference_has_it() -> None:
    found = matches(rows([A, A, A]), rows([A, B], [A, A, C], [A, B, B]))
    assert found.matched[0, 0] == 2


def test_texts_that_are_too_short_pay_for_it() -> None:
    found = matches(rows([A, B]), rows([A, B, C, D]))
    assert found.bleu(2) == pytest.approx(exp(1 - 4 / 2))
    assert matches(rows([A, B, C, D]), rows([A, B])).bleu(1) == pytest.approx(1 / 2)


def test_of_two_lengths_that_are_as_near_the_shorter_counts() -> None:
    assert nearest_length(np.array([4]), np.array([5, 3]), own=False).tolist() == [3]
    assert nearest_length(np.array([1, 9]), np.array([3, 5]), own=False).tolist() == [3, 5]
    same = np.array([2, 2, 6, 9])
    assert nearest_length(same, same, own=True).tolist() == [2, 2, 9, 6]


def test_self_bleu_takes_all_others_and_never_the_text_itself() -> None:
    assert matches_among(rows([A, B], [A, B], [C, D])).bleu(2) == pytest.approx(sqrt(4 / 6 * 2 / 3))
    found = matches_among(rows([A, A], [A, B]), 1)
    assert found.matched[:, 0].tolist() == [1, 1]
    assert matches_among(rows([A, B], [C, D])).bleu(1) == 0


def test_what_no_text_is_long_enough_for_is_not_defined() -> None:
    with pytest.raises(Undefined, match="3 tokens"):
        matches(rows([A, B]), rows([A, B])).bleu(3)
    with pytest.raises(Undefined, match="3 tokens"):
        distinct(rows([A, B]), 3)
    with pytest.raises(Undefined):
        matches(rows([A]), rows()[:0])
    with pytest.raises(Undefined):
        matches_among(rows([A]))


def test_bleu_is_that_of_sacrebleu() -> None:
    bleu = pytest.importorskip("sacrebleu.metrics").BLEU
    made, judges = random_rows(40, 9, 5), random_rows(30, 9, 5, seed=1)
    said, refs = ([" ".join(map(str, row[row > 3])) for row in side] for side in (made, judges))
    for order in (1, 2, 3, 4):
        metric = bleu(tokenize="none", smooth_method="none", max_ngram_order=order, force=True)
        theirs = metric.corpus_score(said, [[ref] * len(said) for ref in refs]).score / 100
        assert matches(made, judges).bleu(order) == pytest.approx(theirs, abs=1e-9)
        pairs = metric.corpus_score(said[:30], [refs]).score / 100
        assert matches_in_pairs(made[:30], judges).bleu(order) == pytest.approx(pairs, abs=1e-9)


def test_pairs_are_compared_with_their_own_partner() -> None:
    found = matches_in_pairs(rows([A, B], [C, D]), rows([A, B], [A, B]), 2)
    assert found.matched.tolist() == [[2, 1], [0, 0]] and found.nearest.tolist() == [2, 2]


def test_shares_of_different_and_of_repeated() -> None:
    assert distinct(rows([A, B], [A, B], [A, C]), 2) == pytest.approx(2 / 3)
    assert distinct(rows([A, B], [A, B]), 1) == pytest.approx(1 / 2)
    assert repeated(rows([A, B], [A, B], [A, C])) == pytest.approx(2 / 3)
    assert repeated(np.array([[A, 2, B], [A, 2, C]])) == 1  # what stands behind the end is no part


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    x = np.random.default_rng(0).normal(size=50)
    found = jackknife(lambda index: [x[index].mean(), 2 * x[index].mean()], 50, groups=50)
    assert found[0].value == pytest.approx(x.mean())
    assert found[0].error == pytest.approx(x.std(ddof=1) / sqrt(50))
    assert found[1].error == pytest.approx(2 * found[0].error)
    ten = [jackknife(lambda i, s=s: [normal(s)[i].mean()], 100)[0].error for s in range(60)]
    assert np.mean(ten) == pytest.approx(0.1, rel=0.1)


def normal(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=100)


def longest_by_hand(train: np.ndarray, made: np.ndarray) -> list[int]:
    def runs(row: np.ndarray, k: int) -> set[tuple[int, ...]]:
        text = row[: lengths(row[None])[0]].tolist()
        return {tuple(text[i : i + k]) for i in range(len(text) - k + 1)}

    known = {k: set().union(*(runs(row, k) for row in train)) for k in range(1, made.shape[1] + 1)}
    return [max((k for k in known if runs(row, k) & known[k]), default=0) for row in made]


@pytest.mark.parametrize("seed", range(4))
def test_copied_spans_are_those_that_a_search_finds(seed: int) -> None:
    train, made = random_rows(30, 9, 3, seed), random_rows(25, 11, 3, seed + 100)
    spans = copied_spans(train, made)
    assert spans.length.tolist() == longest_by_hand(train, made)
    for i in range(len(made)):
        k, a, b = int(spans.length[i]), int(spans.start[i]), int(spans.at[i])
        assert made[i, a : a + k].tolist() == train[spans.source[i], b : b + k].tolist()


def test_whole_copies_and_nothing_in_common() -> None:
    train = rows([A, B, C], [D])
    spans = copied_spans(train, rows([A, B, C], [A, B], [A, B, C, D], [E], []))
    assert spans.whole.tolist() == [True, False, False, False, False]
    assert spans.length.tolist() == [3, 2, 3, 0, 0]
    assert spans.source[:3].tolist() == [0, 0, 0]


def test_texts_that_fill_their_rows_are_compared_to_their_last_token() -> None:
    train, made = np.array([[A, B, C]]), np.array([[A, B, C], [B, C, A], [C, A, B]])
    spans = copied_spans(train, made)
    assert spans.length.tolist() == [3, 2, 2] and spans.whole.tolist() == [True, False, False]
    assert len(copied_spans(train, made[:0]).length) == 0
    with pytest.raises(Undefined):
        copied_spans(train[:0], made)


def test_what_is_long_is_read_off_held_out_texts() -> None:
    train = rows(*([A, B, C, D, E],) * 3)
    usual = copied_spans(train, rows(*[[A, B]] * 99, [A, B, C]))
    many, others, limit = long_ones(copied_spans(train, rows([A, B, C, D], [A], [A, B], [A, B, C])), usual)
    assert (many, limit) == (0.5, 2) and others == pytest.approx(0.01)
