"""Small pictures are made large again: pixels alone, and then against a discriminator."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from icons import folder
from torch import Tensor
from torch.nn.functional import interpolate

from judge import Judge
from record import Record, arguments, child, entry
from tenfold.data import open_data
from tenfold.metrics.features import features_named
from tenfold.metrics.kernel import kernel_distance
from tenfold.metrics.paired import inconsistency, psnr, ssim

QUESTION = """Fashion-MNIST, made small by 2 and by 4 (bicubic, antialiased), and openmoji's icons from 16 to 64 px
(CC-BY-SA 4.0): srgan --preset small, 10 minutes, and the same time with pixels alone; 2,000 test images (191
icons). Aims at: 22.5 and 18.5 dB for pixels alone on Fashion-MNIST; bars: with the discriminator a lower kernel
distance and, on Fashion-MNIST, more images that a classifier recognises, at most 2 dB lost, and after projection
a difference of at most 1/255 to what was given when made small again."""
SETS = {"fashion-mnist x2": 2, "fashion-mnist x4": 4, "icons x4": 4}
WAYS = {"pixels": {"adversarial": 0.0, "matching": 0.0}, "gan": {}}
SEED, MOST = 0, 2000


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
        small = shrunk(real, scale)
        record.measure(f"{name}, bicubic", lambda n=name, r=real, s=small, k=labels: judged(judge, n, enlarged(s, r), r, s, k))
        for way in WAYS:
            work = lambda n=name, w=way, r=real, s=small, k=labels: one(judge, n, w, budget, r, s, k, record.folder)
            record.measure(f"{name}, {way}", work, [budget, most])
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def truth(name: str, most: int) -> tuple[Tensor, np.ndarray | None]:
    """Test images, and their classes if there are any."""
    if name.startswith("icons"):
        data = open_data(str(folder("test", "colour")))
        sides = [side for side in (data.train, data.holdout) if side is not None]
        return torch.cat([side.gather(np.arange(len(side)))["real"] for side in sides])[:most], None
    from tenfold.data import LoadOptions

    test = open_data("fashion-mnist", LoadOptions(split="test")).train
    index = np.arange(most)
    assert test.labels is not None
    return test.gather(index)["real"], test.labels[index]


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


def judged(
    judge: Judge, name: str, made: Tensor, real: Tensor, small: Tensor, labels: np.ndarray | None
) -> dict[str, float]:
    """Every number of some enlargements."""
    network = features_named("efficientnet-lite0")
    distance = kernel_distance(network(real), network(made))
    found = {
        "psnr": psnr(made, real).mean().item(),
        "ssim": ssim(made, real).mean().item(),
        "kernel_distance": distance.value,
        "error": distance.error,
        "inconsistency": inconsistency(made, small).mean().item(),
        "projected": inconsistency(projected(made, small), small).mean().item(),
    }
    if labels is not None:
        seen = judge.classifier.predict(made).numpy()
        found["accuracy"] = float((seen == labels).mean())
    return {key: round(value, 5) for key, value in found.items()}


def one(
    judge: Judge,
    name: str,
    way: str,
    budget: str,
    real: Tensor,
    small: Tensor,
    labels: np.ndarray | None,
    sheets: Path,
) -> dict[str, Any]:
    """Train in a process of its own, enlarge, judge, and keep a sheet."""
    from tenfold.report.sheet import sheet
    from tenfold.run import load
    from tenfold.translating import way_of

    out = Path(tempfile.gettempdir()) / "tenfold-superres" / f"{name}-{way}".replace(" ", "-")
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, name, way, budget, str(out))
    run = load(out)
    enlarge = way_of(run)
    made = torch.cat([enlarge(part) for part in small.split(64)])
    shown = torch.stack([enlarged(small[:16], real), made[:16], real[:16]], 1).flatten(0, 1)
    (sheets / "sheets").mkdir(exist_ok=True)
    sheet(run.codec.preview(shown), 12).save(sheets / "sheets" / f"superres-{out.name}.png")
    facts = {"seen": run.facts["seen"], "training_s": run.facts["seconds"]}
    return {**judged(judge, name, made, real, small, labels), **facts}


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
            }
        )
    return table


if __name__ == "__main__":
    entry(main, train)
