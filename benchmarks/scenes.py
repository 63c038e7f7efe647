"""Pictures of what is said: scenes of combinations that were learnt from, and of others that never were."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from icons import met
from record import Record, arguments, child, entry
from scene_maker import ATTRIBUTES, Scene, caption, combinations, scenes, split, values_of, write
from tenfold.data.order import Rows
from tenfold.metrics.caption_judge import CaptionReader
from tenfold.metrics.captions import attribute_accuracy, kernel_distance_of_pairs, r_precision
from tenfold.metrics.classifier import Classifier, train_classifier
from tenfold.metrics.features import features_named

QUESTION = """20,000 scenes of 32 px, one thing of 4 shapes, 6 colours, 2 sizes and 5 places in each, with
captions of a small grammar with other words for the same; 24 of the 240 combinations are never seen. dfgan
beside gan_cls, preset small, 10 minutes each. Classifiers of real scenes of all combinations read shape,
colour, size and place off made ones. Bars for dfgan: attributes right on average, .90 of seen combinations,
.75 of unseen ones; 864 pictures of either. Beside them: all four right at once; R-precision (1 of 10, among
captions of ten combinations, by a reader with networks and a seed of its own); the kernel distance to fresh
real scenes of the same captions in features of EfficientNet-Lite0."""
RECIPES = ("dfgan", "gan_cls")
SEED, PICTURES, LESSONS = 0, 20_000, 8000
KINDS = (("seen", 4), ("unseen", 36))  # and pictures of each combination: as many of either, and small errors
FRESH = 100  # added to seeds of what nobody learns from
SHOWN = 8


def main() -> None:
    """Train both, let classifiers read what they draw."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="10m", help="of each run (10m)")
    given = parser.parse_args()
    also = [Path(__file__).with_name(name) for name in ("scene_maker.py", "icons.py")]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=also)
    budget, lessons = ("20s", 1000) if given.quick else (given.budget, LESSONS)
    readers = classifiers(lessons)
    record.measure("real scenes", lambda: real(readers), lessons)
    for recipe in RECIPES:
        work = lambda r=recipe: one(r, budget, readers, record.folder)
        record.measure(recipe, work, [budget, lessons])
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def as_tensor(pictures: np.ndarray) -> Tensor:
    """Pictures in [-1, 1], channels first."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def classifiers(count: int) -> dict[str, Classifier]:
    """One of each attribute, which has seen real scenes of all combinations."""
    chosen, pictures, _ = scenes(combinations(), count, SEED + FRESH)
    values, labels = as_tensor(pictures), values_of(chosen)
    return {
        name: train_classifier(Rows(values, labels[name]), classes=len(options), seed=SEED)
        for name, options in ATTRIBUTES.items()
    }


def accuracy(readers: dict[str, Classifier], pictures: Tensor, of: list[Scene]) -> dict[str, float]:
    """Shares of pictures that show what they should, by attribute, on average, and all at once."""
    read = lambda x: {name: reader.predict(x).numpy() for name, reader in readers.items()}
    found = attribute_accuracy(read, pictures, values_of(of))
    shares = {name: round(each.value, 4) for name, each in found.items()}
    return {**shares, "mean": round(float(np.mean([shares[name] for name in ATTRIBUTES])), 4)}


def real(readers: dict[str, Classifier]) -> dict[str, Any]:
    """What fresh real scenes get."""
    found = {}
    for (name, each), of in zip(KINDS, split(), strict=True):
        chosen, pictures, _ = scenes(of, each * len(of), SEED + FRESH + 1)
        found[name] = accuracy(readers, as_tensor(pictures), chosen)
    return found


def one(recipe: str, budget: str, readers: dict[str, Classifier], folder: Path) -> dict[str, Any]:
    """Train in a process of its own, draw scenes of both kinds, and keep a sheet."""
    from tenfold.material import reopened
    from tenfold.run import load
    from tenfold.watching.captions import generate_captioned
    from tenfold.words.captions_evaluating import independent_reader
    from tenfold.words.drawing import pictures_of

    out = Path(tempfile.gettempdir()) / "tenfold-scenes" / recipe
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, recipe, budget, str(out))
    run, found = load(out), {}
    reader = independent_reader(reopened(run))
    (folder / "sheets").mkdir(exist_ok=True)
    for (name, each), of in zip(KINDS, split(), strict=True):
        chosen, pictures, texts = scenes(of, each * len(of), SEED + FRESH + 2)
        tokens, fresh = torch.from_numpy(run.texts.encode(texts)), as_tensor(pictures)
        made = generate_captioned(run.sampler, tokens, SEED + 1)
        meanings = np.arange(len(texts)) % len(of)  # combinations in turn
        found[name] = accuracy(readers, made, chosen) | distance(fresh, made)
        found[name] |= told(reader, made, fresh, tokens, meanings)
        rng = np.random.default_rng(SEED)
        said = [caption(of[i], rng) for i in np.linspace(0, len(of) - 1, SHOWN).astype(int)]
        pictures_of(run, said, SHOWN).grid(folder / "sheets" / f"scenes-{recipe}-{name}.png")
    return {**found, "seen_samples": run.facts["seen"], "training_s": run.facts["seconds"]}


def told(
    reader: CaptionReader, made: Tensor, fresh: Tensor, tokens: Tensor, meanings: np.ndarray
) -> dict[str, float]:
    """R-precision of made scenes, and of fresh real ones of the same captions."""
    ours, true = (r_precision(reader, x, tokens, meanings=meanings) for x in (made, fresh))
    return {"r_precision": ours.value, "r_precision_error": ours.error, "r_precision_of_real": true.value}


def distance(fresh: Tensor, made: Tensor) -> dict[str, float]:
    """Kernel distance to real scenes of the same captions, and its error."""
    network = features_named("efficientnet-lite0")
    found = kernel_distance_of_pairs(network(fresh), network(made))
    return {"kernel_distance": round(found.value, 4), "error": round(found.error, 4)}


def train(recipe: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold

    _, pictures, captions = scenes(split()[0], PICTURES, SEED)
    source = write(Path(out).with_suffix(".data"), pictures, captions)
    options = tenfold.Options(quiet=True)
    tenfold.fit(str(source), recipe, preset="small", budget=budget, out=out, seed=SEED, options=options)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    return [
        {
            "what": key,
            "combinations": name,
            **{each: round(result[name][each], 2) for each in ATTRIBUTES},
            "mean": round(result[name]["mean"], 3),
            "all four": round(result[name]["all"], 3),
            "kernel distance": shown(result[name]),
            "R-precision": found_again(result[name]),
            "samples seen": result.get("seen_samples", ""),
            "bar": bar(key, name, result[name]),
        }
        for key, result in found.items()
        for name in ("seen", "unseen")
    ]


def shown(result: dict[str, Any]) -> str:
    """A distance with its error, if there is one."""
    if "kernel_distance" not in result:
        return ""
    return f"{result['kernel_distance']:.3f} ± {result['error']:.3f}"


def found_again(result: dict[str, Any]) -> str:
    """R-precision with its error, beside that of real scenes of the same captions."""
    if "r_precision" not in result:
        return ""
    true = result["r_precision_of_real"]
    return f"{result['r_precision']:.2f} ± {result['r_precision_error']:.2f} (real {true:.2f})"


def bar(key: str, name: str, result: dict[str, Any]) -> str:
    """What was asked of dfgan, and whether it was met."""
    if key != "dfgan":
        return ""
    least = 0.9 if name == "seen" else 0.75
    return met([(f"mean {least:.2f}", result["mean"] >= least)])


if __name__ == "__main__":
    entry(main, train)
