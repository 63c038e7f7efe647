"""Numbers become words of two languages, and digits are sorted: are texts better for a discriminator?"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from record import SOURCE, Record, arguments, child, entry, say

QUESTION = """seq2seq_gan, preset small, learns from 2,000 pairs: numbers below a million and their words in
English, the same in German (num2words), and rows of 5 to 12 digits and the same sorted; and the same recipe
with maximum likelihood alone, in the same time, on the same pairs. 1,000 other sources of each are
translated with four beams. Exact match; and BLEU of characters, a mean of texts and of all together
(sacrebleu). Each seed has pairs and sources of its own, which both ways share; intervals of 95 % after
Student, over seeds. Bar: neither exact match nor BLEU worse than of maximum likelihood alone by more than a
point, at the interval's lower end."""
WAYS: dict[str, dict[str, float]] = {"maximum likelihood": {"adversarial": 0.0}, "adversarial": {}}
BEAM, MOST_LOST = 4, 1.0
PACKAGES = ("num2words", "sacrebleu")
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Effort:
    """How long everything takes.

    Attributes:
        budget: of each run.
        preset: of the recipe.
        train: pairs to learn from.
        test: sources that are translated.
    """

    budget: str
    preset: str = "small"
    train: int = 2000
    test: int = 1000


def main() -> None:
    """Every case, with every seed, in both ways."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="2m", help="of each run (2m)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="at least two (0 1 2)")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="only these")
    given = parser.parse_args()
    effort = Effort("10s", "tiny", 200, 40) if given.quick else Effort(given.budget)
    seeds = [0, 1] if given.quick else given.seeds
    if len(seeds) < 2:
        parser.error("--seeds: at least two were expected, as intervals are over them, too")
    also = [SOURCE / "tenfold" / "recipes" / "seq2seq_gan.py"]
    record = Record(__file__, QUESTION, seeds=seeds, quick=given.quick, also=also)
    found: dict[str, Any] = {}
    for case in given.cases:
        if CASES[case] is not digits and "num2words" not in installed():
            say(f"{case}: left out, as num2words is not installed")
            continue
        for seed in seeds:
            for way in WAYS:  # in turns: a slow hour meets both
                key = f"{case}, {way}, seed {seed}"
                work = lambda c=case, w=way, s=seed: one(c, w, s, effort)
                found[key] = record.measure(key, work, [asdict(effort), installed()])
    if not found:
        raise SystemExit("No case is left. Install num2words, or choose --cases sorting.")
    record.conclude(rows(found))


def installed() -> dict[str, str]:
    """Versions of packages that results depend on."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def spoken(language: str, count: int, seed: int) -> Pairs:
    """Numbers, digit by digit, and their words."""
    from num2words import num2words  # pyright: ignore[reportMissingImports]

    numbers = np.random.default_rng([seed, 1]).choice(1_000_000, count, replace=False).tolist()
    return [(" ".join(str(number)), num2words(number, lang=language)) for number in numbers]


def digits(count: int, seed: int) -> Pairs:
    """Rows of digits, no two of them alike, and the same sorted."""
    random, found = np.random.default_rng([seed, 2]), dict[str, str]()
    while len(found) < count:
        row = random.integers(0, 10, random.integers(5, 13)).tolist()
        found[" ".join(map(str, row))] = " ".join(map(str, sorted(row)))
    return list(found.items())


def english(count: int, seed: int) -> Pairs:
    """Numbers in English."""
    return spoken("en", count, seed)


def german(count: int, seed: int) -> Pairs:
    """Numbers in German, which writes each as one word."""
    return spoken("de", count, seed)


CASES: dict[str, Callable[[int, int], Pairs]] = {"English": english, "German": german, "sorting": digits}


def one(case: str, way: str, seed: int, effort: Effort) -> dict[str, Any]:
    """Train in a process of its own, translate other sources, and judge."""
    from tenfold.run import load
    from tenfold.words.translating import translate_texts

    pairs = CASES[case](effort.train + effort.test, seed)
    name = f"{case}-{way}-{seed}".replace(" ", "-").lower()
    out = Path(tempfile.gettempdir()) / "tenfold-numbers-to-words" / name
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    learnt = out.with_suffix(".jsonl")
    lines = [json.dumps({"source": source, "target": target}) for source, target in pairs[: effort.train]]
    learnt.write_text("\n".join(lines) + "\n")
    child(__file__, str(learnt), way, str(seed), effort.budget, effort.preset, str(out))
    run = load(out)
    others = pairs[effort.train :]
    made = translate_texts(run, [source for source, _ in others], beam=BEAM).texts
    found = judged(made, [target for _, target in others])
    shown = [list(three) for three in zip(*zip(*others[:5], strict=True), made[:5], strict=True)]
    return {**found, "shown": shown, "seen": run.facts["seen"], "training_s": run.facts["seconds"]}


def train(pairs: str, way: str, seed: str, budget: str, preset: str, out: str) -> None:
    """One run."""
    import tenfold
    from tenfold.recipe import make_recipe

    recipe = make_recipe("seq2seq_gan", WAYS[way], preset)
    tenfold.fit(pairs, recipe, budget=budget, out=out, seed=int(seed), options=tenfold.Options(quiet=True))


def judged(made: Sequence[str], real: Sequence[str]) -> dict[str, float]:
    """Of all translations the share that is right; the mean BLEU, and that of all together."""
    found = {"right": 100 * float(np.mean([a == b for a, b in zip(made, real, strict=True)]))}
    if "sacrebleu" not in installed():
        return found
    from sacrebleu.metrics import BLEU  # pyright: ignore[reportMissingImports]

    each = BLEU(tokenize="char", effective_order=True)
    scores = [each.sentence_score(a, [b]).score for a, b in zip(made, real, strict=True)]
    together = BLEU(tokenize="char").corpus_score(list(made), [list(real)]).score
    return {**found, "bleu": round(float(np.mean(scores)), 2), "together": round(together, 2)}


def rows(found: Mapping[str, Any]) -> list[dict[str, object]]:
    """The table."""
    by_case: dict[str, dict[str, list[Any]]] = {}
    for key, result in found.items():
        case, way, _ = key.split(", ")
        by_case.setdefault(case, {}).setdefault(way, []).append(result)
    table = []
    for case, ways in by_case.items():
        plain, heard = (ways[way] for way in WAYS)
        table += [row(case, way, results) for way, results in ways.items()]
        better = {name: gained(plain, heard, name) for name in ("right", "bleu")}
        table.append(
            {
                "case": case,
                "way": "difference",
                "exact match %": ranged(better["right"]),
                "BLEU": ranged(better["bleu"]),
                "BLEU of all": "",
                "pairs seen": "",
                "bar": bar(better),
            }
        )
    return table


def row(case: str, way: str, results: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """What one way gets in a case."""
    together = [result["together"] for result in results if "together" in result]
    return {
        "case": case,
        "way": way,
        "exact match %": ranged([result["right"] for result in results]),
        "BLEU": ranged([result["bleu"] for result in results if "bleu" in result]),
        "BLEU of all": round(float(np.mean(together)), 1) if together else "",
        "pairs seen": round(float(np.mean([result["seen"] for result in results]))),
        "bar": "",
    }


def gained(plain: Sequence[Mapping[str, Any]], heard: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """By how much it is better, seed by seed."""
    return [b[name] - a[name] for a, b in zip(plain, heard, strict=True) if name in a]


def interval(values: Sequence[float]) -> tuple[float, float, float] | None:
    """A mean over seeds, and between what it lies after Student; None of what was not measured."""
    if len(values) < 2:
        return None
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    wide = float(student.ppf(0.975, len(values) - 1)) * error
    return mean, mean - wide, mean + wide


def ranged(values: Sequence[float]) -> str:
    """A mean with its interval, in words."""
    found = interval(values)
    return "" if found is None else "{:.1f} ({:.1f} to {:.1f})".format(*found)


def bar(better: Mapping[str, Sequence[float]]) -> str:
    """What was asked, and whether it was met."""
    said = []
    for name, title in (("right", "exact match"), ("bleu", "BLEU")):
        found = interval(better[name])
        if found is not None:
            said.append(f"{title} no worse: {'met' if found[1] >= -MOST_LOST else 'not met'}")
    return ", ".join(said)


if __name__ == "__main__":
    entry(main, train)
