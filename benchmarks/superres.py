"""Small pictures are made large again: pixels alone, and then against a discriminator."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from icons import folder, met
from judge import Judge
from record import Record, arguments, child, entry
from tenfold.data import LoadOptions, open_data
from tenfold.metrics.features import features_named
from tenfold.metrics.kernel import kernel_distance
from tenfold.metrics.paired import inconsistency, psnr, ssim

QUESTION = """Fashion-MNIST, made small by 2 and by 4 (bicubic, antialiased), and openmoji's icons from 16 to
64 px (CC-BY-SA 4.0): srgan, preset small, 10 minutes, and the same time with pixels alone; 2,000 test images
(191 icons). Aims at: 22.5 and 18.5 dB for pixels alone on Fashion-MNIST, more than bicubic on icons. Bars:
with the discriminator a lower kernel distance (on icons than bicubic's, too) and, on Fashion-MNIST, more
images that a classifier recognises, at most 2 dB lost, and after projection a difference of at most 1/255 to
what was given when made small again."""
SETS = {"fashion-mnist x2": 2, "fashion-mnist x4": 4, "icons x4": 4}
WAYS: dict[str, dict[str, Any]] = {"pixels": {"adversarial": 0.0, "matching": 0.0}, "gan": {}}
AIMS = {"fashion-mnist x2": 22.5, "fashion-mnist x4": 18.5}  # dB
SEED, MOST = 0, 2000


@dataclass(frozen=True)
class Task:
    """What is enlarged, and by what it is judged.

    Attributes:
        name: of the set.
        real: test images.
        small: the same, made small.
        labels: classes, if there are any.
        judge: knows them.
    """

    name: str
    real: Tensor
    small: Tensor
    labels: np.ndarray | None
    judge: Judge


def main() -> None:
    """Train every case and judge it beside bicubic enlargement."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="10m", help="of each run (10m)")
    given = parser.parse_args()
    files = [Path(__file__).with_name(name) for name in ("icons.py", "judge.py")]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=files)
    budget, most = ("10s", 200) if given.quick else (given.budget, MOST)
    judge = Judge("fashion-mnist", most, 20 if given.quick else None)
    for name, scale in SETS.items():
        real, labels = truth(name, most)
        task = Task(name, real, shrunk(real, scale), labels, judge)
        record.measure(f"{name}, bicubic", lambda t=task: judged(t, enlarged(t.small, t.real)), most)
        for way in WAYS:
            work = lambda t=task, w=way: one(t, w, budget, record.folder)
            record.measure(f"{name}, {way}", work, [budget, most])
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def truth(name: str, most: int) -> tuple[Tensor, np.ndarray | None]:
    """Test images, and their classes if there are any."""
    if name.startswith("icons"):
        data = open_data(str(folder("test", "colour")))
        sides = [side for side in (data.train, data.holdout) if side is not None]
        return torch.cat([side.gather(np.arange(len(side)))["real"] for side in sides])[:most], None
    test = open_data("fashion-mnist", LoadOptions(split="test")).train
    assert test.labels is not None
    return test.gather(np.arange(most))["real"], test.labels[:most]


def shrunk(real: Tensor, scale: int) -> Tensor:
    """Each side divided, bicubic and antialiased, and rounded to 256 values."""
    size = [side // scale for side in real.shape[2:]]
    small = interpolate(real, size, mode="bicubic", antialias=True).clamp(-1, 1)
    return ((small + 1) * 127.5).round() / 127.5 - 1


def enlarged(small: Tensor, like: Tensor) -> Tensor:
    """Bicubic."""
    return interpolate(small, like.shape[2:], mode="bicubic").clamp(-1, 1)


def projected(made: Tensor, small: Tensor) -> Tensor:
    """The nearest pictures, step by step, that give what was given when they are made small again."""
    for _ in range(20):
        missing = small - interpolate(made, small.shape[2:], mode="bicubic", antialias=True)
        made = (made + interpolate(missing, made.shape[2:], mode="bicubic")).clamp(-1, 1)
    return made


def judged(task: Task, made: Tensor) -> dict[str, float]:
    """Every number of some enlargements."""
    network = features_named("efficientnet-lite0")
    distance = kernel_distance(network(task.real), network(made))
    found = {
        "psnr": psnr(made, task.real).mean().item(),
        "ssim": ssim(made, task.real).mean().item(),
        "kernel_distance": distance.value,
        "error": distance.error,
        "inconsistency": inconsistency(made, task.small).mean().item(),
        "projected": inconsistency(projected(made, task.small), task.small).mean().item(),
    }
    if task.labels is not None:
        seen = task.judge.classifier.predict(made).numpy()
        found["accuracy"] = float((seen == task.labels).mean())
    return {key: round(value, 5) for key, value in found.items()}


def one(task: Task, way: str, budget: str, sheets: Path) -> dict[str, Any]:
    """Train in a process of its own, enlarge, judge, and keep a sheet."""
    from tenfold.report.sheet import sheet
    from tenfold.run import load
    from tenfold.translating import way_of

    out = Path(tempfile.gettempdir()) / "tenfold-superres" / f"{task.name}-{way}".replace(" ", "-")
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, task.name, way, budget, str(out))
    run = load(out)
    enlarge = way_of(run)
    made = torch.cat([enlarge(part) for part in task.small.split(64)])
    columns = [enlarged(task.small[:16], task.real), made[:16], task.real[:16]]
    (sheets / "sheets").mkdir(exist_ok=True)
    shown = run.codec.preview(torch.stack(columns, 1).flatten(0, 1))
    sheet(shown, 12).save(sheets / "sheets" / f"superres-{out.name}.png")
    return {**judged(task, made), "seen": run.facts["seen"], "training_s": run.facts["seconds"]}


def train(name: str, way: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold
    from tenfold.recipe import make_recipe

    source = str(folder("train", "colour")) if name.startswith("icons") else "fashion-mnist"
    recipe = make_recipe("srgan", {"scale": SETS[name], **WAYS[way]}, "small")
    tenfold.fit(source, recipe, budget=budget, out=out, seed=SEED, options=tenfold.Options(quiet=True))


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for key, result in found.items():
        name, _, way = key.rpartition(", ")
        others = {other: found.get(f"{name}, {other}") for other in ("bicubic", "pixels")}
        table.append(
            {
                "data": name,
                "enlarged by": way,
                "PSNR dB": round(result["psnr"], 2),
                "SSIM": round(result["ssim"], 3),
                "kernel distance": f"{result['kernel_distance']:.3f} ± {result['error']:.3f}",
                "recognised": f"{result['accuracy']:.1%}" if "accuracy" in result else "",
                "made small again, off by": f"{255 * result['inconsistency']:.2f}/255",
                "after projection": f"{255 * result['projected']:.2f}/255",
                "minutes": round(result["training_s"] / 60, 1) if "training_s" in result else "",
                "bar": bar(name, way, result, others),
            }
        )
    return table


def bar(name: str, way: str, result: dict[str, Any], others: dict[str, Any]) -> str:
    """What was asked of a case, and whether it was met."""
    bicubic, pixels = others["bicubic"], others["pixels"]
    if way == "pixels":
        aim = AIMS.get(name, bicubic["psnr"])
        return met([(f"aims at {aim:.2f} dB", result["psnr"] >= aim)])
    if way == "bicubic" or pixels is None:
        return ""
    asked = [("kernel distance below that of pixels", result["kernel_distance"] < pixels["kernel_distance"])]
    if "accuracy" in result:
        asked.append(("more recognised than of pixels", result["accuracy"] > pixels["accuracy"]))
    else:
        asked.append(("below bicubic's", result["kernel_distance"] < bicubic["kernel_distance"]))
    asked.append(("2 dB lost at most", pixels["psnr"] - result["psnr"] <= 2))
    asked.append(("1/255 after projection", result["projected"] <= 1 / 255))
    return met(asked)


if __name__ == "__main__":
    entry(main, train)
