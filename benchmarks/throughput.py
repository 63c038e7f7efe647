"""Images per second and peak memory, beside the scripts people start with, torchgan, and the bare loop.

Every variant runs in a process of its own, in turns (A B A B ...), so that a machine that slows down
slows all; what the trainer costs over the bare loop is measured step by step in one process. torchgan
0.1.0 is installed without its dependencies into a temporary folder; the names of torchvision that it
imports (make_grid, save_image, inception_v3) are stubbed, and logging to TensorBoard, visdom and the
console is off: none of them is called while time is taken.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import types
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from record import ROOT, Record, arguments, child, entry, medians, peak_memory, say

QUESTION = """Images per second of training, and megabytes. (a) mlp: fully connected generator against a
convolutional discriminator, 28x28, batch 100: at least 5 times the plain script; the trainer costs at
most 10 % more time than the bare loop. (b) dcgan: 64x64x3, batch 64, width 64: at least 1.6 times; at
most 3 %. (c) torchgan: its DCGAN, 32x32x3, batch 64, its trainer against ours: at least 2 times."""
VARIANTS = {
    "mlp": ("plain", "tenfold", "bare"),
    "dcgan": ("plain", "tenfold", "bare"),
    "torchgan": ("torchgan", "tenfold"),
}
BARS = {"mlp": (5.0, 0.10), "dcgan": (1.6, 0.03), "torchgan": (2.0, None)}
BATCH = {"mlp": 100, "dcgan": 64, "torchgan": 64}
TORCHGAN = "torchgan==0.1.0"


@dataclass(frozen=True)
class Way:
    """How a step is computed."""

    bf16: bool
    last: bool


def main() -> None:
    """Measure every case, item by item."""
    parser = arguments(__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument(
        "--compile", action="store_true", help="also measure torch.compile on dcgan, 3 minutes at most"
    )
    given = parser.parse_args()
    record = Record(__file__, QUESTION, quick=given.quick, also=[Path(__file__).with_name("plain.py")])
    repeats, seconds = (1, 2.0) if given.quick else (5, 12.0)
    for case in given.cases:
        setting = {"repeats": repeats, "seconds": seconds, "data": data_words(case)}
        record.measure(case, lambda case=case: compare(case, repeats, seconds), setting)
    if given.compile:
        record.measure("compile", lambda: compiled(seconds), {"seconds": seconds})
    record.conclude([row(case, record.content["items"][case]["result"]) for case in given.cases])


def row(case: str, found: dict[str, Any]) -> dict[str, object]:
    """A row of the table."""
    peer, (faster, cost) = VARIANTS[case][0], BARS[case]
    mine, other = found["median"]["tenfold"], found["median"][peer]
    return {
        "case": case,
        "peer": "torchgan 0.1.0" if peer == "torchgan" else "plain script",
        "images/s": round(mine["images_per_s"]),
        "peer's": round(other["images_per_s"]),
        "times faster": found["times_faster"],
        "bar": faster,
        "peak MB": round(mine["peak_mb"]),
        "peer's MB": round(other["peak_mb"]),
        "cost over the bare loop": "" if cost is None else f"{found['trainer_cost']:.1%}",
        "in processes apart": "" if cost is None else f"{found['trainer_cost_apart']:.1%}",
        "at most": "" if cost is None else f"{cost:.0%}",
    }


def compare(case: str, repeats: int, seconds: float) -> dict[str, Any]:
    """Medians of every variant of a case over interleaved repeats, and their ratios."""
    rows: dict[str, list[dict[str, float]]] = {variant: [] for variant in VARIANTS[case]}
    if case == "torchgan":
        install_torchgan()
    for repeat in range(repeats):
        for variant in VARIANTS[case]:
            rows[variant].append(child(__file__, case, variant, str(seconds)))
            say(f"  {case} {variant} {repeat + 1}/{repeats}: {rows[variant][-1]}")
    middle = {variant: medians(found) for variant, found in rows.items()}
    rate = {variant: found["images_per_s"] for variant, found in middle.items()}
    found: dict[str, Any] = {"times_faster": round(rate["tenfold"] / rate[VARIANTS[case][0]], 2)}
    if "bare" in rate:
        found["trainer_cost_apart"] = round(rate["bare"] / rate["tenfold"] - 1, 4)
        costs = [child(__file__, case, "cost", str(seconds)) for _ in range(repeats)]
        found |= {"trainer_cost": round(median(row["cost"] for row in costs), 4), "costs": costs}
        say(f"  {case} cost: {costs}")
    return {**found, "median": middle, "repeats": rows}


def cost(case: str, seconds: float) -> dict[str, float]:
    """What the trainer costs over the bare loop: a step of one, a step of the other, in one process.

    Processes differ by up to a tenth in speed, whatever they run (where their memory happens to lie);
    so two processes hardly tell a cost of a few percent.
    """
    way = fastest(case, "tenfold")
    steps = {variant: ours(case, variant, way) for variant in ("tenfold", "bare")}
    taken: dict[str, list[float]] = {variant: [] for variant in steps}
    start = perf_counter()
    while perf_counter() - start < 2 * seconds or len(taken["bare"]) < 8:
        for variant, step in steps.items():
            begun = perf_counter()
            step()
            taken[variant].append(perf_counter() - begun)
    mine, bare = (median(taken[variant][5:]) for variant in steps)
    return {
        "cost": round(mine / bare - 1, 4),
        "tenfold_ms": round(1e3 * mine, 2),
        "bare_ms": round(1e3 * bare, 2),
    }


def measure(case: str, variant: str, given: str) -> dict[str, float]:
    """Images per second and memory of one variant, in this process."""
    import torch

    seconds = float(given)
    torch.manual_seed(0)
    if variant == "cost":
        return cost(case, seconds)
    if (case, variant) == ("torchgan", "torchgan"):
        rate = run_torchgan(seconds)
        return {"images_per_s": rate, **peak_memory()}
    if variant == "plain":
        step, way = plain(case), {}
    else:
        best = fastest(case, variant)
        step, way = ours(case, variant, best), {"bf16": int(best.bf16), "channels_last": int(best.last)}
    return {"images_per_s": round(rate_of(step, BATCH[case], seconds), 1), **way, **peak_memory()}


def rate_of(step: Any, batch: int, seconds: float) -> float:
    """Images per second, after some steps to warm up."""
    for _ in range(5):
        step()
    steps, start = 0, perf_counter()
    while perf_counter() - start < seconds or steps < 3:
        step()
        steps += 1
    return steps * batch / (perf_counter() - start)


def fastest(case: str, variant: str) -> Way:
    """The quickest way of computing this variant's step: what `tenfold fit` measures before a run."""
    import torch

    from tenfold.engine.runtime import has_bf16

    precisions = [True] if has_bf16(torch.device("cpu")) else [False]
    ways = [Way(bf16, last) for bf16 in precisions for last in (False, True)]
    return max(ways, key=lambda way: rate_of(ours(case, variant, way), 1, 0.7))


def plain(case: str) -> Any:
    """A step of the plain script."""
    import torch

    from plain import plain_dcgan, plain_mlp

    if case == "mlp":
        return plain_mlp(pictures()[:, 0], BATCH[case])
    return plain_dcgan(torch.rand(640, 3, 64, 64) * 2 - 1, BATCH[case])


def ours(case: str, variant: str, way: Way) -> Any:
    """A step of the trainer, or of the bare loop, over the same networks and batches."""
    import torch
    from torch.optim import Adam

    from plain import bare_loop
    from tenfold.data.order import Shuffled
    from tenfold.engine.runtime import start
    from tenfold.engine.trainer import Settings, Trainer
    from tenfold.games.gan import GAN
    from tenfold.objectives import NON_SATURATING

    sampler, discriminator = networks(case)
    data = Shuffled(samples(case), BATCH[case])
    layout = torch.channels_last if way.last else torch.contiguous_format
    sampler.to(memory_format=layout)
    discriminator.to(memory_format=layout)
    joint = case == "mlp"  # batch norm must not see real and generated samples together
    if variant == "bare":
        return bare_loop(sampler, discriminator, data, joint=joint, bf16=way.bf16, last=way.last)
    game = GAN(sampler, discriminator, objective=NON_SATURATING, joint=joint)
    adams = {name: Adam(p.parameters(), 2e-4, (0.5, 0.999), fused=True) for name, p in game.players().items()}
    settings = Settings(channels_last=way.last)
    return Trainer(game, adams, data, settings=settings, runtime=start("cpu", bf16=way.bf16)).play_step


def networks(case: str) -> tuple[Any, Any]:
    """G with its noise, and D."""
    from torch import nn

    from tenfold.games.gan import NoiseSampler
    from tenfold.nn.networks.dcgan import DCDiscriminator, DCGenerator
    from tenfold.nn.networks.mlp import ConvDiscriminator, MLPGenerator

    if case == "mlp":
        return NoiseSampler(MLPGenerator(100, (1, 28, 28), (256, 512)), 100), ConvDiscriminator((1, 28, 28))
    if case == "dcgan":
        return NoiseSampler(DCGenerator(100, (3, 64, 64), 64), 100), DCDiscriminator((3, 64, 64), 64)
    models = import_torchgan().models
    discriminator = nn.Sequential(models.DCGANDiscriminator(), nn.Unflatten(0, (-1, 1)))
    return NoiseSampler(models.DCGANGenerator(), 100), discriminator


def samples(case: str) -> Any:
    """What is trained on: a uint8 memory map for mlp, tensors in memory else."""
    import torch

    from tenfold.data.codec import Codec
    from tenfold.data.dataset import Split
    from tenfold.data.order import Rows

    if case != "mlp":
        side = 64 if case == "dcgan" else 32
        return Rows(torch.rand(640, 3, side, side) * 2 - 1)
    codec = Codec("images", 1, 28, 28, 28, 28, "uint8", 0, 255, ".png")
    return Split(pictures(), None, (), codec)


def mnist_file() -> Path:
    """The training images of MNIST, where `$TENFOLD_DATA` says."""
    return Path(os.environ.get("TENFOLD_DATA", "")) / "mnist" / "train-images-idx3-ubyte.gz"


def data_words(case: str) -> str:
    """What the record says of the data."""
    if case != "mlp":
        return "random tensors in memory"
    return "mnist" if mnist_file().is_file() else "random 28x28 uint8 ($TENFOLD_DATA has no mnist)"


def pictures() -> Any:
    """60,000 grey images `(n, 1, 28, 28)`, mapped from a file."""
    import numpy as np

    from tenfold.data.arrays import read_idx

    known = mnist_file().is_file()
    store = Path(tempfile.gettempdir()) / f"tenfold-throughput-{'mnist' if known else 'random'}.npy"
    if not store.is_file():
        if known:
            with mnist_file().open("rb") as stream:
                values = read_idx(stream, mnist_file().name)[:, None]
        else:
            values = np.random.default_rng(0).integers(0, 256, (60_000, 1, 28, 28), dtype=np.uint8)
        np.save(store, values)
    return np.load(store, mmap_mode="r")


def torchgan_folder() -> Path:
    """Where torchgan is installed."""
    return Path(tempfile.gettempdir()) / "tenfold-torchgan"


def install_torchgan() -> None:
    """Install torchgan without its dependencies, once."""
    if not (torchgan_folder() / "torchgan").is_dir():
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--target",
            str(torchgan_folder()),
            TORCHGAN,
        ]
        subprocess.run(pip, check=True, stdout=sys.stderr)


def import_torchgan() -> Any:
    """torchgan with its logging off and with stand-ins for what it imports of torchvision."""
    for name in ("TENSORBOARD_LOGGING", "VISDOM_LOGGING", "CONSOLE_LOGGING"):
        os.environ[name] = "0"
    stub: Any = types.ModuleType("torchvision")
    stub.utils = types.SimpleNamespace(save_image=lambda *_, **__: None, make_grid=lambda *_, **__: None)
    sys.modules["torchvision"] = stub
    sys.path.append(str(torchgan_folder()))
    import torchgan.losses
    import torchgan.models
    import torchgan.trainer

    return torchgan


class Timed:
    """Batches from memory, as long as the time lasts; knows how many images a second were taken."""

    def __init__(self, seconds: float, batch_size: int) -> None:
        self.seconds, self.batch_size, self.rate = seconds, batch_size, 0.0

    def __iter__(self) -> Any:
        import torch

        data = torch.rand(640, 3, 32, 32) * 2 - 1
        steps, start = -5, perf_counter()
        while steps < 3 or perf_counter() - start < self.seconds:
            if steps == 0:
                start = perf_counter()
            yield data[torch.randint(len(data), (self.batch_size,))]
            steps += 1
        self.rate = steps * self.batch_size / (perf_counter() - start)


def run_torchgan(seconds: float) -> float:
    """Images per second of torchgan's trainer on its own networks."""
    import torch
    from torch.optim import Adam

    gan = import_torchgan()
    adam = {"name": Adam, "args": {"lr": 2e-4, "betas": (0.5, 0.999)}}
    models = {
        "generator": {"name": gan.models.DCGANGenerator, "optimizer": adam},
        "discriminator": {"name": gan.models.DCGANDiscriminator, "optimizer": adam},
    }
    losses = [gan.losses.MinimaxGeneratorLoss(nonsaturating=True), gan.losses.MinimaxDiscriminatorLoss()]
    with tempfile.TemporaryDirectory() as folder:
        where = {"checkpoints": f"{folder}/gan", "recon": f"{folder}/images"}
        trainer = gan.trainer.Trainer(models, losses, device=torch.device("cpu"), epochs=1, **where)
        timed = Timed(seconds, BATCH["torchgan"])
        sys.stdout = sys.stderr  # it prints where it saves
        trainer(timed)
        sys.stdout = sys.__stdout__
    return round(timed.rate, 1)


def compiled(seconds: float) -> dict[str, Any]:
    """The dcgan step with torch.compile on both networks, or why there is none."""
    code = f"import throughput; print(throughput.compiled_here({seconds}))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT / "benchmarks", capture_output=True, text=True, timeout=180
        )
    except subprocess.TimeoutExpired:
        return {"failed": "not done after 180 seconds"}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:300]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def compiled_here(seconds: float) -> str:
    """Images per second of the bare loop, eager and compiled, and the time of the first step."""
    from plain import bare_loop
    from tenfold.data.order import Shuffled

    found: dict[str, float] = {}
    for name in ("eager", "compiled"):
        sampler, discriminator = networks("dcgan")
        if name == "compiled":
            sampler.compile()
            discriminator.compile()
        step = bare_loop(
            sampler, discriminator, Shuffled(samples("dcgan"), 64), joint=False, bf16=True, last=False
        )
        start = perf_counter()
        step()
        found[f"{name}_first_step_s"] = round(perf_counter() - start, 2)
        found[name] = round(rate_of(step, 64, seconds), 1)
    return json.dumps(found)


if __name__ == "__main__":
    entry(main, measure)
