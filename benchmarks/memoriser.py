"""Is a generator that learnt its few training images by heart found out? Eighty faces."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tenfold
from record import ROOT, SOURCE, Record, arguments, say
from tenfold.data import LoadOptions, open_data
from tenfold.data.order import Shuffled
from tenfold.engine.trainer import Settings, Trainer
from tenfold.recipe import make_recipe
from tenfold.watching.quality import generate_many

QUESTION = """A GAN trained on 80 faces until it knows them by heart, judged by 20 others, is flagged as
copying and its gallery shows the copies; with augmentation it is clearly nearer to fresh real faces."""
SEED, FACES, LEARNT, MADE, KIMG = 0, 100, 80, 400, 600
ARMS = {"no augmentation": "none", "diffaugment": "diffaugment"}
RECIPE = {
    "batch": 80,  # all of them, so that few are left out
    "latent": 4,
    "widths": (128, 256),
    "widths_d": (256, 128),
    "discriminator": "mlp",
    "schedule": "cosine",
    "lr_g": 5e-4,
    "lr_d": 5e-4,
}
SHOWN = (
    "memorised_pixels",
    "memorised",
    "c_t",
    "authenticity",
    "frechet_gap",
    "kernel_distance",
    "recall",
    "coverage",
    "precision",
)


def main() -> None:
    """Train both, judge both."""
    given = arguments(__doc__ or "").parse_args()
    also = [SOURCE / "tenfold" / "recipes" / "mlp.py"]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=also)
    kimg = 4 if given.quick else KIMG
    found = {
        name: record.measure(name, lambda augment=augment: judged(augment, kimg), {"kimg": kimg})
        for name, augment in ARMS.items()
    }
    record.conclude(rows(found))


def faces(folder: Path) -> tuple[Path, Path]:
    """The faces of scikit-image's `lfw_subset`, in a file to learn from and one to judge by."""
    from skimage.data import lfw_subset

    pictures = np.rint(np.asarray(lfw_subset())[:FACES] * 255).astype(np.uint8)
    order = np.random.default_rng(SEED).permutation(FACES)
    paths = folder / "learn.npy", folder / "judge.npy"
    for path, index in zip(paths, (order[:LEARNT], order[LEARNT:]), strict=True):
        np.save(path, pictures[index])
    return paths


def judged(augment: str, kimg: float) -> dict[str, Any]:
    """Metrics and verdicts of one generator.

    It is played without what would stop or choose it: `tenfold fit` keeps the checkpoint that is best on
    held-out faces, which is an early one.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        learn, judge = faces(folder)
        made = folder / "made.npy"
        np.save(made, trained(learn, judge, augment, kimg))
        found = tenfold.evaluate(real=learn, fake=made, holdout=judge)
        if kimg == KIMG:
            pages = ROOT / "benchmarks" / "results" / "pictures"
            pages.mkdir(exist_ok=True)
            found.gallery(pages / f"memoriser-{augment}.png")
    numbers = {name: found.metrics[name].to_json() for name in SHOWN}
    copying = [v.to_json() for v in found.verdicts if v.about == "copying"]
    return {"metrics": numbers, "copying": copying}


def trained(learn: Path, judge: Path, augment: str, kimg: float) -> np.ndarray:
    """Pictures of a generator, `(n, height, width)`."""
    data = open_data(str(learn), LoadOptions(holdout=str(judge)))
    recipe = make_recipe("mlp", {**RECIPE, "augment": augment}, "small")
    play = recipe.build(data.spec)
    settings = Settings(seed=SEED, planned=round(kimg * 1000), half_life_kimg=4)
    batches = Shuffled(data.train, recipe.batch, labelled=False)
    trainer = Trainer(play.game, play.optimizers, batches, schedules=play.schedules, settings=settings)
    trainer.fit(kimg=kimg)
    say(f"trained on {kimg:,} thousand pictures, {augment}")
    assert trainer.ema is not None
    values = generate_many(trainer.ema.module.eval(), MADE, None, SEED)
    return data.codec.decode(values)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table = [line(name, result) for name, result in found.items()]
    real = {name: m["reference"] for name, m in next(iter(found.values()))["metrics"].items()}
    fresh = {k: "" if v is None else round(v, 3) for k, v in real.items()}
    table.append({"training": "fresh real faces", **fresh, "verdict": "", "bar": "", "met": ""})
    return table


def line(name: str, result: dict[str, Any]) -> dict[str, object]:
    """One generator in the table."""
    values: dict[str, object] = {}
    for key, number in result["metrics"].items():
        error = f"±{number['error']:.2g}" if "error" in number else ""
        error += f" (p {number['p']:.2g})" if "p" in number else ""
        values[key] = f"{number['value']:.3g}{error}" if number["value"] is not None else "not defined"
    levels = [verdict["level"] for verdict in result["copying"]]
    worst = next((level for level in ("bad", "warning", "good") if level in levels), "")
    bar, met = BARS[name]
    said = {"training": name, **values, "verdict": f"copying: {worst}"}
    return {**said, "bar": bar, "met": "yes" if met(result["metrics"], worst) else "no"}


def nearer(metrics: dict[str, Any], worst: str) -> bool:
    """Whether clearly fewer than half of the samples are learnt by heart, and it has not collapsed."""
    found = metrics["memorised_pixels"]
    return worst != "bad" and found["value"] + 2 * found["error"] < MUCH and metrics["recall"]["value"] > 0


MUCH = 0.5  # as the verdict counts
BARS: dict[str, tuple[str, Callable[[dict[str, Any], str], bool]]] = {
    "no augmentation": ("flagged as copying", lambda _, worst: worst == "bad"),
    "diffaugment": ("clearly below half by heart, recall above 0", nearer),
}


if __name__ == "__main__":
    main()
