"""All numbers of texts and of pairs of texts, and what they mean in words."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tenfold.metrics.kernel import Estimate
from tenfold.metrics.suite import Measured
from tenfold.metrics.texts.curves import Curves, Point
from tenfold.metrics.texts.pairs import (
    SCORES,
    Pairs,
    common_subsequence,
    gains,
    measure_pairs,
    numbered,
    rouge_by_pair,
    rouge_l,
    wilson,
)
from tenfold.metrics.texts.rows import Texts
from tenfold.metrics.texts.summary import NAMES, TextSides, measure_texts
from tenfold.metrics.texts.verdicts import against_baseline, verdicts
from tenfold.report.texts import drawn, page_of, page_of_pairs
from tenfold.words.evaluating import Copied, TextEvaluation
from tenfold.words.evaluating_pairs import against_baseline as against_baseline_in_pairs
from tenfold.words.evaluating_pairs import judged

WORDS = 12


def chain(n: int, seed: int, stay: float = 0.7, labels: np.ndarray | None = None) -> Texts:
    """Texts of 3 to 8 tokens of which each mostly follows from the one before; classes have other words."""
    random = np.random.default_rng(seed)
    first, kinds = (4, 8) if labels is None else (4 + 4 * labels[:, None], 4)
    found = random.integers(0, kinds, (n, 9))
    for t in range(1, 9):
        found[:, t] = np.where(random.random(n) < stay, (found[:, t - 1] + 1) % kinds, found[:, t])
    long = random.integers(3, 9, n)[:, None]
    rows = np.where(np.arange(9) < long, found + first, np.where(np.arange(9) == long, 2, 0))
    return Texts(rows, [" ".join(map(str, row[row > 3])) for row in rows], labels)


def measured(fake: Texts, holdout: Texts | None = None, train: Texts | None = None) -> dict[str, Measured]:
    return measure_texts(TextSides(train or chain(150, 0), holdout or chain(100, 1), fake, WORDS))


def test_every_number_of_fresh_texts_is_that_of_real_ones() -> None:
    found = measured(chain(200, 2))
    assert set(found) == set(NAMES)
    for name, number in found.items():
        assert number.value is not None and number.reference is not None, name
        if number.error and name not in ("kernel_distance", "frechet_distance"):
            assert abs(number.value - number.reference) < 6 * number.error + 0.05, name
    assert found["bleu_4"].n == 100 and found["longest_copied"].n == 200
    assert found["kernel_distance"].how == "ngrams"
    assert "bad" not in {v.level for v in verdicts(found)}


def test_copies_are_seen() -> None:
    train = chain(150, 0, stay=0.2)
    found = measured(train, chain(100, 1, stay=0.2), train)
    assert found["exact_copies"].value == 1 and (found["exact_copies"].reference or 0) < 0.2
    assert (found["long_copies"].value or 0) > (found["long_copies"].reference or 0) + 0.2
    said = [v for v in verdicts(found) if v.about == "copying"]
    assert [v.level for v in said] == ["bad", "bad"] and "100.0%" in said[0].text


def test_a_collapse_is_seen() -> None:
    one = chain(5, 3)
    found = measured(one.take(np.arange(100) % 5))
    assert (found["self_bleu_4"].value or 0) > 0.99 and found["repeated_texts"].value == 1
    assert (found["distinct_3"].value or 1) < 0.3 * (found["distinct_3"].reference or 0)
    assert (found["reverse_perplexity"].value or 0) > 1.5 * (found["reverse_perplexity"].reference or 0)
    assert "bad" in {v.level for v in verdicts(found) if v.about == "variety"}


def test_noise_is_no_text() -> None:
    found = measured(chain(100, 4, stay=0.0))
    assert (found["forward_perplexity"].value or 0) > 1.5 * (found["forward_perplexity"].reference or 0)
    assert (found["bleu_4"].value or 1) < (found["bleu_4"].reference or 0)
    assert "bad" in {v.level for v in verdicts(found) if v.about == "fidelity"}


def test_without_a_holdout_little_is_said_of_copying() -> None:
    found = measure_texts(TextSides(chain(150, 0), None, chain(100, 1), WORDS))
    assert found["bleu_2"].n == 75 and found["long_copies"].value is None
    assert found["exact_copies"].value is not None and (found["exact_copies"].reference or 0) > 0.1
    once = Texts(np.unique(chain(150, 0).rows, axis=0))
    alone = measure_texts(TextSides(once, None, chain(100, 1), WORDS))["exact_copies"]
    assert alone.reference is None and alone.value is not None


def test_few_texts_say_nothing() -> None:
    found = measured(chain(10, 2))
    assert all(number.value is None and "at least 20" in number.why for number in found.values())
    assert [v.about for v in verdicts(found)] == ["trust"]


def test_texts_that_are_too_short_have_no_long_runs() -> None:
    short = Texts(np.tile([[4, 5, 6, 7, 2]], (30, 1)) + np.eye(30, 5, dtype=np.int64) * [1, 1, 1, 1, 0])
    found = measure_texts(TextSides(short, short, short, WORDS))
    assert found["bleu_5"].value is None and found["bleu_4"].value is not None


def test_labels_are_taught() -> None:
    labels = np.arange(120) % 2
    sides = [chain(120, seed, labels=labels) for seed in (0, 1, 2)]
    found = measure_texts(TextSides(sides[0], sides[1], sides[2], WORDS))
    assert found["tstr"].value == found["tstr"].reference == 1
    assert found["label_accuracy"].value == 1
    wrong = Texts(sides[2].rows, sides[2].said, 1 - labels)
    found = measure_texts(TextSides(sides[0], sides[1], wrong, WORDS))
    assert found["tstr"].value == 0 and found["label_accuracy"].value == 0
    assert [v.level for v in verdicts(found) if v.about == "labels"] == ["bad", "bad"]


def test_what_is_said_of_the_baseline() -> None:
    assert against_baseline("win").level == "good" and against_baseline("dominated").level == "bad"
    found = verdicts(measured(chain(100, 2)), "no win")
    assert found[0].about == "baseline" and "No win" in found[0].text


def test_the_interval_of_a_share() -> None:
    assert wilson(0, 10) == pytest.approx((0, 0.278), abs=1e-3)
    assert wilson(5, 10) == pytest.approx((0.237, 0.763), abs=1e-3)


def test_the_longest_common_subsequence() -> None:
    assert common_subsequence("abcbdab", "bdcaba") == 4
    assert common_subsequence("", "abc") == 0 and common_subsequence("abc", "") == 0
    random = np.random.default_rng(0)
    for _ in range(20):
        a, b = (list(map(str, random.integers(0, 4, random.integers(1, 90)))) for _ in range(2))
        table = np.zeros((len(a) + 1, len(b) + 1), int)
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                table[i + 1, j + 1] = table[i, j] + 1 if x == y else max(table[i, j + 1], table[i + 1, j])
        assert common_subsequence(a, b) == table[-1, -1]
    assert rouge_l([], ["a"]) == 0


def test_rouge_is_that_of_the_library() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"])
    pairs = Pairs(["the cat sat", "a dog ran off"], ["the black cat sat", "the dog ran"])
    for wanted, made in zip(pairs.wanted, pairs.made, strict=True):
        theirs = scorer.score(wanted, made)["rougeL"].fmeasure
        assert rouge_l(wanted.split(), made.split()) == pytest.approx(theirs)
    assert rouge_by_pair(pairs)[1].startswith("rouge-score")


def sentences(n: int, wrong: float, seed: int) -> Pairs:
    random, words = np.random.default_rng(seed), ["red", "blue", "cat", "dog", "ran", "sat", "here"]
    wanted = [[words[i] for i in random.integers(0, 7, random.integers(4, 9))] for _ in range(n)]
    made = [[w if random.random() > wrong else "no" for w in text] for text in wanted]
    return Pairs([" ".join(x) for x in made], [" ".join(x) for x in wanted])


def test_pairs_without_any_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sacrebleu.metrics", "rouge_score.rouge_scorer"):
        monkeypatch.setitem(sys.modules, name, None)
    found = measure_pairs(sentences(60, 0.1, 0))
    assert set(found) == set(SCORES)
    assert found["chrf"].value is None and "texts" in found["chrf"].why
    hits = found["exact_match"]
    assert hits.value is not None and 0.3 < hits.value < 0.8 and hits.how.startswith("95 %")
    assert found["bleu"].value is not None and 0.5 < found["bleu"].value < 1
    assert found["rouge_l"].value is not None and 0.8 < found["rouge_l"].value < 0.97
    assert measure_pairs(sentences(60, 0.0, 0))["bleu"].value == pytest.approx(1)
    assert measure_pairs(sentences(5, 0.0, 0))["bleu"].value is None


def test_bleu_of_pairs_is_about_that_of_sacrebleu(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sacrebleu")
    pairs = sentences(60, 0.1, 1)
    theirs = measure_pairs(pairs)["bleu"]
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    assert measure_pairs(pairs)["bleu"].value == pytest.approx(theirs.value)
    assert theirs.how.endswith("13a")


def test_words_that_are_not_written_apart_are_characters() -> None:
    made, wanted = numbered(Pairs(["你好"], ["你们好"]))
    assert (made > 0).sum() == 2 and (wanted > 0).sum() == 3
    assert rouge_by_pair(Pairs(["你好"], ["你们好"]))[0].tolist() == pytest.approx([0.8])
    found, how = rouge_by_pair(Pairs(["13"], ["123"]))  # in whatever letters
    assert found.tolist() == pytest.approx([0.8]) and how == "characters"
    assert (numbered(Pairs(["a b"], ["a c"]))[0] > 0).sum() == 2


def test_gains_are_taken_pair_by_pair() -> None:
    worse = sentences(80, 0.2, 0)
    right = Pairs(worse.wanted, worse.wanted)
    found = gains(worse, right)
    assert found["exact_match"].value > 3 * found["exact_match"].error > 0
    same = gains(worse, worse)
    assert same["rouge_l"] == Estimate(0.0, 0.0)


def test_a_gain_is_what_its_interval_puts_beyond_zero() -> None:
    clear, unclear = Estimate(0.05, 0.02), Estimate(0.04, 0.02)
    first, second = against_baseline_in_pairs({"exact_match": clear, "bleu": unclear})
    assert first.level == "good" and "+0.0500 (95 %: +0.0048 to +0.0952)" in first.text
    assert second.level == "warning" and "+0.0400 (95 %: -0.0052 to +0.0852)" in second.text
    (lost,) = against_baseline_in_pairs({"bleu": Estimate(-0.05, 0.02), "rouge_l": clear})
    assert lost.level == "bad"
    (same,) = against_baseline_in_pairs({"bleu": Estimate(0.0, 0.0)})
    assert same.level == "warning"


def test_pages_show_what_was_found(tmp_path: Path) -> None:
    point = Point(1.0, Estimate(2.0, 0.1), Estimate(3.0, 0.1))
    curves = Curves((point, point), (point,), 20)
    copies = [Copied("a cat <sat>", "the cat <sat>", "cat <sat>", 2)]
    numbers = measured(chain(100, 2))
    found = TextEvaluation(
        numbers,
        numbers,
        curves,
        verdicts(numbers, "win"),
        {"seed": 0},
        ["a note"],
        ["made"],
        ["real"],
        copies,
    )
    page = page_of(found)
    assert "cat &lt;sat&gt;" in page and page.count("<img") == 1 and "win" in page
    assert len(drawn(curves).axes) == 1
    assert found.report(tmp_path / "found.html").is_file() and (tmp_path / "found.json").is_file()
    assert any("temperature 1" in line for line in found.lines())


def test_pages_of_pairs_show_both(tmp_path: Path) -> None:
    before, after = sentences(60, 0.3, 0), sentences(60, 0.0, 0)
    before = Pairs(before.made, after.wanted[:60])
    found = judged(["given"] * 60, after, before, {"seed": 0}, ["a note"])
    assert found.verdicts[0].about == "baseline" and found.verdicts[0].level == "good"
    assert found.lines()[0].split("  ")[-1].strip() == "n"
    assert any(line.startswith("exact_match: 95 %: ") for line in found.lines())
    assert "given" in page_of_pairs(found) and found.report(tmp_path / "found.html").is_file()
    assert "exact_match" in found.to_json() and found.to_json()["gains"]["bleu"]["value"] > 0
    alone = judged(["given"] * 60, after, None, {"seed": 0}, [])
    assert alone.baseline == {} and alone.gains == {}


def names(n: int, seed: int, kinds: int) -> np.ndarray:
    """Texts of which some are far more frequent than others, as names are."""
    random = np.random.default_rng(seed)
    which = np.minimum(random.zipf(1.5, n), kinds)
    texts = np.random.default_rng(9).integers(4, WORDS, (kinds + 1, 5))
    return np.pad(texts[which], ((0, 0), (0, 1)), constant_values=2)


@pytest.mark.parametrize("carved", [True, False])
def test_where_real_texts_repeat_honest_ones_are_no_copies(carved: bool) -> None:
    real, fake = names(1000, 0, 300), Texts(names(400, 1, 300))
    _, place = np.unique(real, axis=0, return_inverse=True)
    out = place.ravel() % 4 == 0  # equal texts on one side
    if carved:
        found = measured(fake, Texts(real[out]), Texts(real[~out]))
        assert not {*map(bytes, real[out])} & {*map(bytes, real[~out])}
    else:
        found = measure_texts(TextSides(Texts(real), None, fake, WORDS))
    assert (found["exact_copies"].value or 0) > 0.5 and "there again" in found["exact_copies"].how
    assert "bad" not in {v.level for v in verdicts(found) if v.about == "copying"}


def test_copies_are_seen_where_some_texts_repeat() -> None:
    train = chain(150, 0, stay=0.2)
    train = train.take(np.r_[0:150, 0:15])
    found = measured(train.take(np.arange(15, 150)), chain(100, 1, stay=0.2), train)
    assert 0.1 < (found["exact_copies"].reference or 0) < 0.5
    assert {v.level for v in verdicts(found) if v.about == "copying"} == {"bad"}
