"""Does a GAN of texts do what its own baseline cannot do at any temperature?"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from record import SOURCE, Record, arguments, say
from tenfold.budget import seconds_of
from tenfold.data.order import Rows, Shuffled
from tenfold.data.spec import DataSpec
from tenfold.data.texts.layout import END, SPECIAL, START, UNKNOWN, TextLayout
from tenfold.draw import Draw, derive
from tenfold.engine.trainer import Settings, Trainer
from tenfold.games.language import TextSampler, alphabet
from tenfold.metrics.kernel import Estimate
from tenfold.metrics.texts.curves import Point, overall, standing
from tenfold.nn.networks.language import NEVER, LSTMLanguage
from tenfold.probe import mean_seconds, stage_seconds
from tenfold.recipe import make_recipe
from tenfold.settings import resolve

QUESTION = """An LSTM with known weights writes 10,000 texts to learn from; then it says, in nats per token,
how likely made texts are (quality); those who learnt say how likely fresh texts of its own are (coverage).
Published: SeqGAN's oracle, 5,000 words, 20 tokens, one seed, up to eight minutes each, preset small unless
another is named: 256 units of lm, 64 of the others, which write texts at every step; of lm, what 2,000
validation texts like best of up to three lengths of training, each stopped by them or when its learning
rate has fallen to 0; its curve over temperatures is what the others have to better, whose own first stage
is chosen by the same texts. A contender wins where it lies beyond that curve, is dominated where the curve
is better in both, at whatever temperature; beside it the same against the curve of its own first stage,
which says what its discriminator is worth. Controls reward every text alike, no discriminator heard: with a
learnt value subtracted, and without one, as published. Small: 500 words, 10 tokens, weights from N(0, 1),
three seeds: the Jensen-Shannon distance of bigrams to the oracle's, summed exactly over what may come next
after 50,000 drawn beginnings, beside the baseline's at the temperature at which it is as varied (entropy).
Bars: the oracle's own texts 5.76; lm held-out 7.65 at most; of the oracle, lm --preset paper 9.05, seqgan
8.74 at most."""
OWN, HELD_OUT, PAPER, SEQGAN = 5.76, 7.65, 9.05, 8.74
TEMPERATURES = (0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.1)
FREE = {"reward": "constant", "baseline": False, "teacher": 0.0, "lr_adversarial": 0.01}
CONTENDERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "lm": ("lm", "small", {}),
    "lm, paper": ("lm", "paper", {}),
    "seqgan": ("seqgan", "small", {}),
    "seqgan, constant reward": ("seqgan", "small", {"reward": "constant"}),
    "seqgan, constant reward, no value": ("seqgan", "small", FREE),
    "relgan": ("relgan", "small", {}),
}
CONTROLS = {"seqgan, constant reward": "seqgan", "seqgan, constant reward, no value": "seqgan"}
SMALL = ("lm", "seqgan", "seqgan, constant reward", "relgan")
ENDLESS = -30.0  # a logit: texts of an oracle do not end
LOOKS, PATIENCE, PASSES = 20, 5, 120
PLANS = ((10, 0.2), (20, 0.3), (40, 0.5))  # of lm: passes over the texts, and dropout; the more the longer
BLOCK, LARGE = 500, 1000  # texts at a time; tokens beyond which there are too many pairs of them


@dataclass(frozen=True)
class Effort:
    """How long everything takes.

    Attributes:
        budget: of learning, with the large oracle and with the small one.
        train: texts to learn from; a fifth as many validate.
        judged: texts that are judged, made and held out.
        beginnings: over which bigrams are summed.
    """

    budget: tuple[str, str] = ("8m", "90s")
    train: int = 10_000
    judged: int = 10_000
    beginnings: int = 50_000


@dataclass(frozen=True)
class World:
    """An oracle, and its texts."""

    oracle: TextSampler
    train: Tensor
    valid: Tensor
    test: Tensor
    budget: str

    @property
    def layout(self) -> TextLayout:
        """How its texts lie before networks."""
        return TextLayout(self.oracle.length, self.oracle.network.last.linear.out_features)


def main() -> None:
    """Every contender, and the table."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--only", nargs="+", choices=["published", "small"], default=["published", "small"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the small oracle")
    given = parser.parse_args()
    effort = Effort(("6s", "6s"), 400, 300, 500) if given.quick else Effort()
    recipes = [SOURCE / "tenfold" / "recipes" / f"{name}.py" for name in ("lm", "seqgan", "relgan")]
    record = Record(__file__, QUESTION, seeds=given.seeds, quick=given.quick, also=recipes)
    if "published" in given.only:
        compete(record, "published", 0, tuple(CONTENDERS), effort)
    if "small" in given.only:
        for seed in given.seeds:
            compete(record, "small", seed, SMALL, effort)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def compete(record: Record, where: str, seed: int, who: Sequence[str], effort: Effort) -> None:
    """All contenders of one world; each is kept when it is done."""
    about = [effort.train, effort.judged, effort.beginnings]
    record.measure(f"{where}, seed {seed}, oracle", lambda: own(world_of(where, seed, effort), effort), about)
    steps: dict[str, int] = {}
    for name in who:
        asked = steps.get(CONTROLS.get(name, ""))
        work = lambda n=name, s=asked: contend(world_of(where, seed, effort), n, seed, effort, s)
        setting = [*about, *effort.budget, asked, *CONTENDERS[name]]
        steps[name] = record.measure(f"{where}, seed {seed}, {name}", work, setting)["steps"]


def world_of(where: str, seed: int, effort: Effort) -> World:
    """An oracle and what it writes; the same for all contenders."""
    oracle = published() if where == "published" else small(seed)
    counts = {"train": effort.train, "valid": effort.train // 5, "test": effort.judged}
    texts = {name: written(oracle, n, derive(seed, name)) for name, n in counts.items()}
    return World(oracle, **texts, budget=effort.budget[where == "small"])


def published() -> TextSampler:
    """SeqGAN's oracle."""
    with np.load(Path(os.environ["TENFOLD_DATA"]) / "seqgan-oracle.npz") as found:
        return oracle_of([torch.from_numpy(found[f"p{i:02d}"]) for i in range(15)], 20)


def small(seed: int, words: int = 500, width: int = 32) -> TextSampler:
    """An oracle of the same kind with weights of its own."""
    random = torch.Generator().manual_seed(derive(seed, "oracle"))
    gate = [(width, width), (width, width), (width,)]
    shapes = [(words, width), *gate * 4, (width, words), (words,)]
    return oracle_of([torch.randn(shape, generator=random) for shape in shapes], 10)


def oracle_of(arrays: Sequence[Tensor], length: int) -> TextSampler:
    """An oracle of its weights: vectors of words; of the gates for input, forgetting, output and content what
    multiplies the word, the state, and the bias; at last the layer of words. A text begins after word 0."""
    embedding, *gates, output, bias = arrays
    words, width = embedding.shape
    network = LSTMLanguage(alphabet(TextLayout(length, words + SPECIAL)), embedding=width, hidden=width)
    order = (0, 1, 3, 2)  # as torch has them
    with torch.no_grad():
        network.lstm.weight_ih_l0.copy_(torch.cat([gates[3 * i].T for i in order]))
        network.lstm.weight_hh_l0.copy_(torch.cat([gates[3 * i + 1].T for i in order]))
        network.lstm.bias_ih_l0.copy_(torch.cat([gates[3 * i + 2] for i in order]))
        network.lstm.bias_hh_l0.zero_()
        network.input.tokens.weight[SPECIAL:] = embedding
        network.input.tokens.weight[START] = embedding[0]
        network.last.linear.weight[SPECIAL:] = output.T
        network.last.linear.bias[SPECIAL:] = bias
        network.last.linear.weight[:SPECIAL] = 0
        network.last.linear.bias[:SPECIAL] = NEVER
    return TextSampler(network, length).eval()


def written(sampler: TextSampler, n: int, seed: int, temperature: float = 1.0) -> Tensor:
    """Texts of a sampler; all have every word they can have."""
    found = []
    for first in range(0, n, BLOCK):
        count = min(BLOCK, n - first)
        z = sampler.draw(Draw(derive(seed, "texts", first), slice(0, count), count))
        found.append(sampler.texts(z, temperature=temperature))
    texts = torch.cat(found)
    if (texts < SPECIAL).any():
        raise SystemExit("A text ended, which no real one does: nobody can say how likely it is.")
    return texts


def own(world: World, effort: Effort) -> dict[str, Any]:
    """What the oracle says of its own texts; how far its bigrams are from those after other beginnings."""
    found = {"steps": 0, "nats": estimate(world.oracle.likelihood(world.test))[0]}
    if world.layout.vocabulary > LARGE:
        return found
    both = [bigrams(world.oracle, 1.0, effort.beginnings, derive(s, "bigrams")) for s in (0, 1)]
    return {**found, "bigrams": round(divergence(*both), 5)}


def contend(world: World, name: str, seed: int, effort: Effort, steps: int | None) -> dict[str, Any]:
    """Let one learn, and judge it at every temperature."""
    begun = perf_counter()
    if steps is None:
        steps = steps_within(world, name, seed)
    found: dict[str, Any] = {"steps": steps, "before": None}
    if name == "lm":
        trainer, found["plans"] = best_of_plans(world, seed, steps)
    else:
        trainer = start(world, name, seed, steps)
        found["before"] = learn(trainer, steps, world, effort)
    learnt, found["played"] = perf_counter() - begun, trainer.step
    found["curve"] = judged(trainer.ema.module, world, effort, TEMPERATURES)
    return {**found, "learnt_s": round(learnt, 1), "seconds": round(perf_counter() - begun, 1)}


def learn(trainer: Trainer, steps: int, world: World, effort: Effort) -> list[dict[str, float]] | None:
    """So many steps; the curve of what was learnt by likelihood alone, where that is a stage of its own.

    The next stage goes on from what validation texts like best.
    """
    before, batch = None, trainer.data.size
    if trainer.game.anew is not None:
        stopped_by_validation(trainer, world, trainer.game.anew.at, patience=LOOKS)
        before = judged(trainer.ema.module, world, effort, TEMPERATURES)
        say(f"  before: {at_one(before)}")
    for tenth in range(1, 11):
        trainer.fit(steps * batch * tenth / 10_000)  # does nothing where it is further already
        say(f"  {10 * tenth} %: {', '.join(f'{k} {v:.3g}' for k, v in trainer.flush().items())}")
    return before


def best_of_plans(world: World, seed: int, steps: int) -> tuple[Trainer, list[dict[str, float]]]:
    """The language model that validation texts like best, of those that fit into so many steps; and of all,
    how well they do."""
    best, least, told = None, float("inf"), []
    a_pass = len(world.train) / make_recipe("lm", {}, "small").batch
    for passes, dropout in PLANS:
        planned = min(int(passes * a_pass), steps)
        if best is not None and planned < passes * a_pass:
            break  # stopped half way, its rate would still be high
        trainer = start(world, "lm", seed, planned, dropout=dropout)
        nats = stopped_by_validation(trainer, world)
        steps -= trainer.step
        told.append({"passes": passes, "dropout": dropout, "played": trainer.step, "validation": nats})
        if nats < least:
            best, least = trainer, nats
    assert best is not None
    return best, told


def start(world: World, name: str, seed: int, steps: int, dropout: float | None = None) -> Trainer:
    """A trainer before its first step.

    Args:
        world: what it learns from.
        name: of the contender.
        seed: of everything random.
        steps: planned.
        dropout: where it is not the contender's own.
    """
    what, preset, values = CONTENDERS[name]
    spec = DataSpec("texts", (world.layout.length,), len(world.train), text=world.layout)
    given = values if dropout is None else {**values, "dropout": dropout}
    recipe = resolve(make_recipe(what, given, preset), spec)[0]
    torch.manual_seed(derive(seed, "networks"))
    play = recipe.build(spec)
    with torch.no_grad():
        play.game.sampler.network.last.linear.bias[[END, UNKNOWN]] = ENDLESS
    half_life = recipe.half_life_kimg
    assert half_life != "auto"
    settings = Settings(seed=seed, planned=steps * recipe.batch, half_life_kimg=half_life)
    data = Shuffled(Rows(world.train), recipe.batch, seed)
    return Trainer(play.game, play.optimizers, data, settings=settings, schedules=play.schedules)


def steps_within(world: World, name: str, seed: int) -> int:
    """Steps that fit into the time; of the published baseline no more than it had."""
    trainer = start(world, name, seed, 10_000)
    each = stage_seconds(trainer, 6.0)
    steps = max(50, int(0.95 * seconds_of(world.budget) / mean_seconds(each)))
    say(f"  seconds of a step: {[(round(begin, 3), round(s, 4)) for begin, s in each]}; {steps} steps")
    most = PASSES * len(world.train) // trainer.data.size
    return min(steps, most) if CONTENDERS[name][1] == "paper" else steps


def stopped_by_validation(
    trainer: Trainer, world: World, share: float = 1.0, patience: int = PATIENCE
) -> float:
    """Learn until validation texts get no likelier for some looks; go back to where they were likeliest.

    Args:
        trainer: before its first step; its averaged sampler is then the best, and a next stage begins there.
        world: what it learns from.
        share: of the run, after which it ends in any case.
        patience: looks in a row.

    Returns:
        Nats per token of the best.
    """
    best, state, since = float("inf"), {}, 0
    for look in range(1, LOOKS + 1):
        # Half a text less, lest rounding add a step, which would be of the next stage.
        trainer.fit((trainer.settings.planned * share * look / LOOKS - 0.5) / 1000)
        nats = float(trainer.ema.module.likelihood(world.valid).mean())
        say(f"  {trainer.seen / len(world.train):.1f} passes: {nats:.4f} nats of validation texts")
        since += 1
        if nats < best:
            best, since = nats, 0
            state = {k: v.clone() for k, v in trainer.ema.module.state_dict().items()}
            trainer.keep()
        if since == patience:
            break
    trainer.ema.module.load_state_dict(state)
    return best


def judged(
    sampler: TextSampler, world: World, effort: Effort, temperatures: Sequence[float]
) -> list[dict[str, float]]:
    """Quality, coverage and variety at some temperatures; of a small oracle its bigrams, too."""
    theirs = None
    if world.layout.vocabulary <= LARGE:
        theirs = bigrams(world.oracle, 1.0, effort.beginnings, derive(0, "bigrams"))
    found = []
    for t in temperatures:
        made = written(sampler, effort.judged, derive(0, "judged"), t)
        quality, error = estimate(world.oracle.likelihood(made))
        coverage, other = estimate(sampler.likelihood(world.test, temperature=t))
        entropy = estimate(sampler.likelihood(made, temperature=t))[0]
        point = {"temperature": t, "oracle": quality, "oracle_error": error, "held_out": coverage}
        point |= {"held_out_error": other, "entropy": entropy, "words": len(made.unique())}
        if theirs is not None:
            mine = bigrams(sampler, t, effort.beginnings, derive(1, "bigrams"))
            point["bigrams"] = round(divergence(mine, theirs), 5)
        found.append(point)
    return found


def estimate(nats: Tensor) -> tuple[float, float]:
    """Mean and standard error; all texts are equally long."""
    return round(float(nats.mean()), 4), round(float(nats.std() / len(nats) ** 0.5), 5)


@torch.no_grad()
def bigrams(sampler: TextSampler, temperature: float, n: int, seed: int) -> Tensor:
    """Share of each pair of neighbours: beginnings are drawn, what may come next is summed over exactly."""
    count = sampler.network.last.linear.out_features
    table = torch.zeros(count, count, dtype=torch.float64)
    texts = written(sampler, n, seed, temperature)
    for some in texts.split(BLOCK):
        shares = (sampler.network.logits(some)[:, 1:] / temperature).softmax(2)
        table.index_add_(0, some[:, :-1].flatten(), shares.flatten(0, 1).double())
    return table / table.sum()


def divergence(p: Tensor, q: Tensor) -> float:
    """Jensen and Shannon's, in nats."""
    middle = ((p + q) / 2).clamp_min(1e-300)
    return float(sum(torch.special.xlogy(x, x / middle).sum() for x in (p, q)) / 2)


def points(curve: Sequence[Mapping[str, float]]) -> list[Point]:
    """A curve as the package's verdicts take it."""
    return [
        Point(
            p["temperature"],
            Estimate(p["oracle"], p["oracle_error"]),
            Estimate(p["held_out"], p["held_out_error"]),
        )
        for p in curve
    ]


def at_one(curve: Sequence[dict[str, float]]) -> dict[str, float]:
    """What a sampler does as it is."""
    return next(p for p in curve if p["temperature"] == 1)


def as_varied(curve: Sequence[Mapping[str, float]], entropy: float) -> float | None:
    """The distance of bigrams at another entropy, between temperatures; None beyond all of them."""
    ordered = sorted(curve, key=lambda p: p["entropy"])
    known = [p["entropy"] for p in ordered]
    if not known[0] <= entropy <= known[-1]:
        return None
    return float(np.interp(entropy, known, [p["bigrams"] for p in ordered]))


def rows(found: dict[str, dict[str, Any]]) -> list[dict[str, object]]:
    """The table."""
    table = []
    for key, result in found.items():
        where, seed, name = key.split(", ", 2)
        baseline = found.get(f"{where}, {seed}, lm", {}).get("curve")
        line = {**blank(), "oracle": where, "seed": int(seed.split()[1]), "who": name}
        if name == "oracle":
            line |= {"NLL of the oracle": result["nats"], "bigrams": result.get("bigrams", "")}
        else:
            line |= told(name, result, baseline)
        table.append({**line, "bar": bar(where, name, line)})
    return table + in_all(table)


def told(name: str, result: dict[str, Any], baseline: list[dict[str, float]] | None) -> dict[str, object]:
    """The numbers of a contender."""
    one, before = at_one(result["curve"]), result["before"]
    line: dict[str, object] = {
        "NLL of the oracle": one["oracle"],
        "before": "" if before is None else at_one(before)["oracle"],
        "held-out NLL": one["held_out"],
        "words": one["words"],
        "entropy": one["entropy"],
        "bigrams": one.get("bigrams", ""),
        "minutes": round(result["seconds"] / 60, 1),
    }
    if before is not None:
        line["against its first stage"] = overall(points(result["curve"]), points(before))
    if baseline is not None and name != "lm":
        line["as it is"] = standing(*points([one]), points(baseline))
        line["at any temperature"] = overall(points(result["curve"]), points(baseline))
        other = as_varied(baseline, one["entropy"]) if "bigrams" in one else None
        line["baseline's, as varied"] = "" if other is None else round(other, 5)
    return line


def blank() -> dict[str, object]:
    """A line of the table before anything is filled in."""
    names = ["oracle", "seed", "who", "NLL of the oracle", "before", "held-out NLL", "words", "as it is"]
    names += [
        "at any temperature",
        "against its first stage",
        "entropy",
        "bigrams",
        "baseline's, as varied",
        "minutes",
        "bar",
    ]
    return dict.fromkeys(names, "")


def bar(where: str, name: str, line: Mapping[str, Any]) -> str:
    """What was asked, and whether it was met."""
    if where != "published":
        return ""
    of_oracle, held_out = line["NLL of the oracle"], line["held-out NLL"]
    asked = {
        "oracle": lambda: (f"{OWN}", abs(of_oracle - OWN) <= 0.02),
        "lm": lambda: (f"held-out {HELD_OUT}", held_out <= HELD_OUT),
        "lm, paper": lambda: (f"{PAPER}", of_oracle <= PAPER),
        "seqgan": lambda: (f"{SEQGAN}", of_oracle <= SEQGAN),
    }
    if name not in asked:
        return ""
    what, met = asked[name]()
    return f"{what}: {'met' if met else 'not met'}"


def in_all(table: Sequence[Mapping[str, Any]]) -> list[dict[str, object]]:
    """Of each contender with the small oracle, over the seeds: are its bigrams nearer than the baseline's?"""
    lines = []
    for name in SMALL[1:]:
        mine = [line for line in table if line["oracle"] == "small" and line["who"] == name]
        both = [(line["bigrams"], line["baseline's, as varied"]) for line in mine]
        both = [(ours, other) for ours, other in both if other != ""]
        if not both:
            continue
        line = {**blank(), "oracle": "small", "seed": "median", "who": name}
        line["bigrams"] = median(ours for ours, _ in both)
        line["baseline's, as varied"] = median(other for _, other in both)
        nearer = sum(ours < other for ours, other in both)
        lines.append({**line, "bar": f"nearer with {nearer} of {len(both)} seeds"})
    return lines


if __name__ == "__main__":
    main()
