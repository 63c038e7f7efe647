"""Do GANs write captions better than a language model, at any temperature?"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record import SOURCE, Record, arguments, child, entry, say

QUESTION = """9,999 captions of COCO (coco-captions-train.txt, as RelGAN's authors cut them) to learn from,
the 9,999 of the test half to judge by; recipes lm, seqgan and relgan at preset small (256 units of lm, 64
of the others, which write texts at every step), 10 minutes each. Each is asked at seven temperatures: nats
per token of made texts by an n-gram model of test captions (quality), and of test captions by an n-gram
model of made texts (coverage), 2,000 texts a point. A win is a point beyond the curve of the model of
maximum likelihood by three standard errors: of the stage that the run begins with, and of lm, which had all
of the time. Bar: no more long copied spans (longer than 95 % of test captions share with a training
caption) than lm, beyond three standard errors. Beside it BLEU-4, self-BLEU-4 and the share of different
3-grams, and what real captions get."""
RECIPES, BASELINE = ("lm", "seqgan", "relgan"), "lm"
SEEDS = (0,)
CLEARLY = 3.0
SHOWN = 30
NUMBERS = {
    "heldout_nll": "own NLL of test captions",
    "forward_perplexity": "forward perplexity",
    "reverse_perplexity": "reverse perplexity",
    "bleu_4": "BLEU-4",
    "self_bleu_4": "self-BLEU-4",
    "distinct_3": "different 3-grams",
    "kernel_distance": "kernel distance",
    "long_copies": "long copies",
    "exact_copies": "exact copies",
}


@dataclass(frozen=True)
class Effort:
    """How long everything takes.

    Attributes:
        budget: of each run.
        preset: of the recipe.
        most: texts of a side that are looked at.
    """

    budget: str
    preset: str = "small"
    most: int = 5000


def main() -> None:
    """Every recipe with every seed."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="10m", help="of each run (10m)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="0")
    given = parser.parse_args()
    effort = Effort("20s", "tiny", 1000) if given.quick else Effort(given.budget)
    seeds = given.seeds[:1] if given.quick else given.seeds
    also = [SOURCE / "tenfold" / "recipes" / f"{name}.py" for name in RECIPES]
    record = Record(__file__, QUESTION, seeds=seeds, quick=given.quick, also=also)
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for seed in seeds:
        for name in RECIPES:
            work = lambda n=name, s=seed: one(n, s, effort, record.folder)
            setting = [effort.budget, effort.preset, effort.most]
            found[name, seed] = record.measure(f"{name}, seed {seed}", work, setting)
    record.conclude(rows(found))


def captions(half: str) -> Path:
    """The file of one half."""
    return Path(os.environ["TENFOLD_DATA"]) / f"coco-captions-{half}.txt"


def one(name: str, seed: int, effort: Effort, folder: Path) -> dict[str, Any]:
    """Train in a process of its own, and judge."""
    from tenfold.report.texts import drawn
    from tenfold.run import load
    from tenfold.words.evaluating import evaluate_texts

    out = Path(tempfile.gettempdir()) / "tenfold-captions-text" / f"{name}-{seed}"
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, name, effort.preset, effort.budget, str(seed), str(out))
    run = load(out)
    found = evaluate_texts(run, str(captions("test")), effort.most, seed=0, say=say)
    assert found.curves is not None
    found.report(out / "evaluation.html")  # not into the repository: it shows captions
    (folder / "sheets").mkdir(exist_ok=True)
    drawn(found.curves).savefig(folder / "sheets" / f"captions-text-{name}-{seed}.png", dpi=110)
    return {
        "numbers": {key: value.to_json() for key, value in found.metrics.items()},
        "of_first_stage": {key: value.to_json() for key, value in found.baseline.items()},
        "curves": found.curves.to_json(),
        "samples": list(found.made[:SHOWN]),
        "features": found.settings["features"],
        "seen": run.facts["seen"],
        "training_s": run.facts["seconds"],
    }


def train(name: str, preset: str, budget: str, seed: str, out: str) -> None:
    """One run."""
    import tenfold

    options = tenfold.Options(quiet=True)
    path = str(captions("train"))
    tenfold.fit(path, name, preset=preset, budget=budget, out=out, seed=int(seed), options=options)


def rows(found: Mapping[tuple[str, int], Mapping[str, Any]]) -> list[dict[str, object]]:
    """The table."""
    table = []
    for (name, seed), result in found.items():
        numbers, lm = result["numbers"], found[BASELINE, seed]
        shown = {title: said(numbers.get(key, {})) for key, title in NUMBERS.items()}
        table.append(
            {
                "recipe": name,
                "seed": seed,
                **shown,
                "minutes": round(result["training_s"] / 60, 1),
                "against its first stage": result["curves"]["standing"] or "",
                "against lm": "" if name == BASELINE else against(result, lm),
                "bar": "" if name == BASELINE else bar(numbers["long_copies"], lm["numbers"]["long_copies"]),
            }
        )
    return table


def said(number: Mapping[str, Any]) -> str:
    """A number, and what real captions get."""
    if number.get("value") is None:
        return ""
    beside = f" ({number['reference']:.3g})" if number.get("reference") is not None else ""
    return f"{number['value']:.3g}{beside}"


def against(result: Mapping[str, Any], lm: Mapping[str, Any]) -> str:
    """How a recipe stands to the language model that had as much time."""
    from tenfold.metrics.texts.curves import overall

    return overall(points(result["curves"]["own"]), points(lm["curves"]["own"]))


def points(written: Sequence[Mapping[str, Any]]) -> list[Any]:
    """A curve as it was before it was written down."""
    from tenfold.metrics.kernel import Estimate
    from tenfold.metrics.texts.curves import Point

    return [Point(p["temperature"], Estimate(**p["quality"]), Estimate(**p["coverage"])) for p in written]


def bar(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Whether no more is copied than by the language model."""
    error = (ours["error"] ** 2 + theirs["error"] ** 2) ** 0.5
    met = ours["value"] - theirs["value"] <= CLEARLY * error
    return f"copies not above lm's: {'met' if met else 'not met'}"


if __name__ == "__main__":
    entry(main, train)
