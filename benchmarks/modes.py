"""Does the default objective find every mode of a ring of 8 and a grid of 25, and hit them?"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from record import Record, arguments
from tenfold.data.order import Rows, Shuffled
from tenfold.draw import Draw, derive
from tenfold.engine.schedule import cosine
from tenfold.engine.trainer import Settings, Trainer
from tenfold.games.gan import GAN, NoiseSampler
from tenfold.metrics.modes import GRID, RING, Mixture, mode_report
from tenfold.nn.networks.mlp import MLPDiscriminator, MLPGenerator
from tenfold.objectives import NON_SATURATING, RELATIVISTIC
from tenfold.penalties import R1, R2

QUESTION = """Ring of 8 and grid of 25, 2,500 samples, three seeds, one thread, at most a minute each, the
same settings for both: the relativistic objective with R1 and R2, beside the non-saturating one. Bars for
the former on every seed: all modes, at least .8 (ring) and .7 (grid) of samples within three standard
deviations, reverse KL at most .15."""
SETS = {"ring": RING, "grid": GRID}
OBJECTIVES = {"relativistic": RELATIVISTIC, "non-saturating": NON_SATURATING}
BARS = {"ring": (8, 0.8), "grid": (25, 0.7)}
KL_BAR, SAMPLES, SHOWN, PARTS = 0.15, 2500, 600, 100


@dataclass(frozen=True)
class Setting:
    """The same for both sets and objectives.

    Attributes:
        steps, batch: how long.
        width: of the hidden layers of both networks.
        depth_g, depth_d: how many hidden layers.
        latent: dimension of the noise.
        gain: factor on torch's initial weights, which are too small for leaky ReLU (He et al., 2015: 2.4).
        lr_g, lr_d, beta1, beta2: of Adam; the rates fall along a cosine.
        penalty: weight of R1 and of R2 at first, for the relativistic objective.
        penalty_end: what it falls to, geometrically, over the first four fifths of the run.
        memory: half-life of the averaged generator, as a share of the run.
        rows: training samples.
    """

    steps: int = 14_000
    batch: int = 64
    width: int = 128
    depth_g: int = 4
    depth_d: int = 3
    latent: int = 2
    gain: float = 2.4
    lr_g: float = 3e-3
    lr_d: float = 1e-3
    beta1: float = 0.0
    beta2: float = 0.99
    penalty: float = 0.1
    penalty_end: float = 0.002
    memory: float = 0.02
    rows: int = 100_000


def main() -> None:
    """Every set, objective and seed; then the picture."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    given = parser.parse_args()
    torch.set_num_threads(1)
    setting = Setting(steps=200) if given.quick else Setting()
    record = Record(__file__, QUESTION, seeds=given.seeds, quick=given.quick)
    found: dict[str, Any] = {}
    for seed in given.seeds:
        for name in given.sets:
            for objective in given.objectives:
                work = lambda n=name, o=objective, s=seed: play(n, o, s, setting)
                key = f"{name}-{objective}-{seed}"
                found[key] = record.measure(key, work, asdict(setting))
    draw_picture(found, given, str(record.folder / "modes.png"))
    record.conclude(summary(found))


def play(name: str, objective: str, seed: int, setting: Setting) -> dict[str, Any]:
    """Train on one set, and count its modes among the averaged generator's samples."""
    mixture = SETS[name]
    rows = mixture.draw(setting.rows, seed)
    scale = rows.std()  # unit range for the networks, whatever the data's
    trainer = make_trainer(rows / scale, objective, seed, setting)
    start = perf_counter()
    train(trainer, objective, setting)
    seconds = perf_counter() - start
    draw = Draw(derive(seed, "judge"), slice(0, SAMPLES), SAMPLES)
    with torch.inference_mode():
        samples = trainer.ema.module(trainer.ema.module.draw(draw)) * scale
    report = {key: round(value, 4) for key, value in asdict(mode_report(samples, mixture)).items()}
    points = [[round(v, 3) for v in point] for point in samples[:SHOWN].tolist()] if seed == 0 else []
    return {**report, "train_seconds": round(seconds, 1), "points": points}


def train(trainer: Trainer, objective: str, setting: Setting) -> None:
    """Play on, with penalties that fall: first the mass finds its modes, then the modes become sharp."""
    kimg = setting.steps * setting.batch / 1000
    for part in range(PARTS):
        if not OBJECTIVES[objective].bounded:
            weight = setting.penalty * (setting.penalty_end / setting.penalty) ** min(part / (0.8 * PARTS), 1)
            trainer.game.penalties = (R1(weight), R2(weight))
        trainer.fit(kimg * (part + 1) / PARTS)


def make_trainer(rows: Tensor, objective: str, seed: int, setting: Setting) -> Trainer:
    """Fully connected networks in the game of an objective."""
    torch.manual_seed(derive(seed, "networks"))
    chosen = OBJECTIVES[objective]
    generator = MLPGenerator(setting.latent, (2,), [setting.width] * setting.depth_g, output="linear")
    discriminator = MLPDiscriminator((2,), [setting.width] * setting.depth_d, bias=chosen.bounded)
    for body in (generator.body, discriminator.body):
        enlarge(body, setting.gain)
    game = GAN(NoiseSampler(generator, setting.latent), discriminator, objective=chosen, joint=True)
    betas = (setting.beta1, setting.beta2)
    rates, players = {"G": setting.lr_g, "D": setting.lr_d}, game.players()
    adams = {name: Adam(m.parameters(), rates[name], betas, fused=True) for name, m in players.items()}
    planned = setting.steps * setting.batch
    settings = Settings(seed=seed, planned=planned, half_life_kimg=setting.memory * planned / 1000)
    data = Shuffled(Rows(rows), setting.batch, seed)
    return Trainer(game, adams, data, settings=settings, schedules=dict.fromkeys(adams, cosine))


@torch.no_grad()
def enlarge(body: nn.Module, gain: float) -> None:
    """Multiply the weights of linear layers."""
    for layer in body.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.mul_(gain)


def summary(found: dict[str, Any]) -> list[dict[str, object]]:
    """The worst seed of every case, beside the bars."""
    rows: list[dict[str, object]] = []
    for case in dict.fromkeys(key.rpartition("-")[0] for key in found):
        runs = [result for key, result in found.items() if key.rpartition("-")[0] == case]
        name, _, objective = case.partition("-")
        modes, share = BARS[name]
        rows.append(
            {
                "set": name,
                "objective": objective,
                "modes found": f"{min(r['found'] for r in runs)} of {modes}",
                "within three sigma": min(r["high_quality_share"] for r in runs),
                "bar": share,
                "reverse KL": max(r["reverse_kl"] for r in runs),
                "at most": KL_BAR,
                "seconds": max(r["train_seconds"] for r in runs),
            }
        )
    return rows


def draw_picture(found: dict[str, Any], given: argparse.Namespace, path: str) -> None:
    """Scatter plots of the data and of each objective's samples, seed 0."""
    from matplotlib.figure import Figure

    columns = ["data", *given.objectives]
    figure = Figure((3 * len(columns), 3.2 * len(given.sets)), layout="constrained")
    for row, name in enumerate(given.sets):
        for column, title in enumerate(columns):
            axes = figure.add_subplot(len(given.sets), len(columns), row * len(columns) + column + 1)
            points, words = scatter(found, SETS[name], f"{name}-{title}-0")
            axes.scatter(*points.T, s=3, linewidths=0, alpha=0.6, color="#1f5a92")
            reach = 1.15 * SETS[name].centres.abs().max().item()
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
            axes.set_title(f"{title}{words}", fontsize=9)
    figure.savefig(path, dpi=110)


def scatter(found: dict[str, Any], mixture: Mixture, key: str) -> tuple[Any, str]:
    """Points to draw, and what is said of them; none of a run that was not made."""
    if key.split("-")[1] == "data":
        return mixture.draw(SHOWN, 0).numpy(), ""
    if key not in found:
        return torch.empty(0, 2).numpy(), ": not run"
    result = found[key]
    words = f": {result['found']} modes, {result['high_quality_share']:.0%} hit"
    return torch.tensor(result["points"]).numpy(), words


if __name__ == "__main__":
    main()
