"""How fast texts are learnt from and made, and pictures of captions learnt."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import torch

from record import SOURCE, Record, arguments, child, entry, peak_memory

QUESTION = """Texts of 20 tokens, 5,000 words, batches of 64: tokens per second of learning, stage by stage,
and of making 10,000 texts, in blocks of 64 as a run makes them. One adversarial round of seqgan, preset
small: 64 texts, 16 that go on from each of the 19 beginnings of each, five updates of the discriminator,
one of the learnt value; beside it the plain loop in the same process, which for each of the 16 and each
beginning reads this anew and goes on token by token. dfgan, preset small, 64 px: pictures per second in its
last stage, and the most memory. Bars: a round in 2 s, at least 5 times as fast as with the plain loop;
10,000 texts in 5 s."""
WORDS, LENGTH, TEXTS = 5000, 20, 10_000
LEARNING = (("lm", "small"), ("lm", "paper"), ("lm", "base"), ("seqgan", "small"), ("relgan", "small"))
MAKING = (("lm", "small"), ("lm", "paper"), ("seqgan", "small"), ("relgan", "small"))
ROUND, FASTER, MADE = 2.0, 5.0, 5.0
SECONDS, REPEATS = 15.0, 5
CAPTION, CAPTION_WORDS, PIXELS = 12, 200, 64


def main() -> None:
    """Each measurement in a process of its own; each is kept when it is done."""
    given = arguments(__doc__ or "").parse_args()
    recipes = [SOURCE / "tenfold" / "recipes" / f"{name}.py" for name in ("lm", "seqgan", "relgan", "dfgan")]
    record = Record(__file__, QUESTION, quick=given.quick, also=recipes)
    seconds, repeats = ("1", "1") if given.quick else (str(SECONDS), str(REPEATS))
    count = "640" if given.quick else str(TEXTS)
    for name, preset in LEARNING:
        ask = lambda n=name, p=preset: child(__file__, "learn", n, p, seconds)
        record.measure(f"learning, {name} {preset}", ask, seconds)
    for name, preset in MAKING:
        ask = lambda n=name, p=preset: child(__file__, "make", n, p, count, repeats)
        record.measure(f"making, {name} {preset}", ask, [count, repeats])
    record.measure("round", lambda: child(__file__, "round", repeats), repeats)
    record.measure("dfgan", lambda: child(__file__, "dfgan", seconds), seconds)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def part(what: str, *words: str) -> dict[str, Any]:
    """What a process of its own is asked for."""
    if what == "learn":
        return learn(words[0], words[1], float(words[2]))
    if what == "make":
        return make(words[0], words[1], int(words[2]), int(words[3]))
    return one_round(int(words[0])) if what == "round" else dfgan(float(words[0]))


def trainer_of(name: str, preset: str) -> Any:
    """What plays a recipe on texts of words that mean nothing."""
    from tenfold.data.order import Rows, Shuffled
    from tenfold.data.spec import DataSpec
    from tenfold.data.texts.layout import SPECIAL, TextLayout
    from tenfold.engine.runtime import start
    from tenfold.engine.trainer import Trainer
    from tenfold.recipe import make_recipe

    torch.manual_seed(0)
    layout = TextLayout(LENGTH, WORDS + SPECIAL)
    texts = torch.randint(SPECIAL, layout.vocabulary, (2048, LENGTH))
    recipe = make_recipe(name, {}, preset)
    play = recipe.build(DataSpec("texts", (LENGTH,), len(texts), text=layout))
    data = Shuffled(Rows(texts), recipe.batch)
    return Trainer(play.game, play.optimizers, data, schedules=play.schedules, runtime=start("cpu"))


def learn(name: str, preset: str, seconds: float) -> dict[str, Any]:
    """Seconds of a step in each stage, and tokens of real texts per second."""
    from tenfold.probe import stage_seconds

    trainer = trainer_of(name, preset)
    stages = stage_seconds(trainer, seconds)
    tokens = trainer.data.size * LENGTH
    each = [{"begins": b, "step_s": round(s, 4), "tokens_per_second": round(tokens / s)} for b, s in stages]
    return {"stages": each, **peak_memory()}


def make(name: str, preset: str, count: int, repeats: int) -> dict[str, Any]:
    """Seconds that so many texts take."""
    from tenfold.watching.trials import made_texts

    sampler = trainer_of(name, preset).ema.module
    made_texts(sampler, 640)
    seconds = timed(lambda: made_texts(sampler, count), repeats)
    speed = round(count * LENGTH / seconds)
    return {"texts": count, "seconds": round(seconds, 3), "tokens_per_second": speed}


def one_round(repeats: int) -> dict[str, Any]:
    """A step of SeqGAN's last stage, and what of it tokens' worth takes; the same by the plain loop."""
    from tenfold.draw import Draw
    from tenfold.probe import step_seconds

    trainer = trainer_of("seqgan", "small")
    whole = step_seconds(trainer, 3.0 * repeats, trainer.game.stages[-1])
    game, draw = trainer.game, Draw(0, slice(0, trainer.data.size), trainer.data.size)
    tokens = game.sampler(game.sampler.draw(draw))
    ours = timed(lambda: game.worth(tokens, None, draw), repeats)
    plain = timed(lambda: plain_worth(game, tokens), max(1, repeats // 2))
    return {
        "round_s": round(whole, 3),
        "worth_s": round(ours, 3),
        "plain_worth_s": round(plain, 3),
        "plain_round_s": round(whole - ours + plain, 3),
        **peak_memory(),
    }


@torch.no_grad()
def plain_worth(game: Any, tokens: torch.Tensor) -> torch.Tensor:
    """What each token is worth, one text that goes on after the other, as it is usually written."""
    network, (n, length) = game.sampler.network, tokens.shape
    worth = torch.zeros(n, length)
    for _ in range(game.policy.rollouts):
        for known in range(1, length):
            text, state = tokens.clone(), network.start(n)
            for t in range(length):
                if t >= known:
                    shares = network.last(state[0]).softmax(1)
                    text[:, t] = torch.multinomial(shares, 1)[:, 0]
                state = network.step(state, text[:, t])
            worth[:, known - 1] += game.judged(text, None)
        worth[:, -1] += game.judged(tokens, None)
    return worth / game.policy.rollouts


def timed(work: Callable[[], object], repeats: int) -> float:
    """Seconds, the median of some times."""
    taken = []
    for _ in range(repeats):
        begun = perf_counter()
        work()
        taken.append(perf_counter() - begun)
    return median(taken)


def dfgan(seconds: float) -> dict[str, Any]:
    """Pictures of captions: images per second, and memory."""
    from tenfold.data.order import Rows, Shuffled
    from tenfold.data.spec import DataSpec
    from tenfold.data.texts.layout import SPECIAL, TextLayout
    from tenfold.engine.runtime import start
    from tenfold.engine.trainer import Settings, Trainer
    from tenfold.probe import stage_seconds
    from tenfold.recipe import make_recipe
    from tenfold.settings import resolve

    torch.manual_seed(0)
    shape, layout = (3, PIXELS, PIXELS), TextLayout(CAPTION, CAPTION_WORDS)
    spec = DataSpec("captioned", shape, 512, text=layout)
    recipe = resolve(make_recipe("dfgan", {}, "small"), spec)[0]
    captions = torch.randint(SPECIAL, CAPTION_WORDS, (512, CAPTION)).numpy()
    data = Shuffled(Rows(torch.rand(512, *shape) * 2 - 1, captions), recipe.batch)
    play = recipe.build(spec)
    play.game.to(memory_format=torch.channels_last)
    settings, runtime = Settings(channels_last=True), start("cpu")
    trainer = Trainer(play.game, play.optimizers, data, settings=settings, runtime=runtime)
    step_s = stage_seconds(trainer, seconds)[-1][1]
    speed = round(recipe.batch / step_s, 1)
    return {"images_per_second": speed, "batch": recipe.batch, "step_s": round(step_s, 4), **peak_memory()}


def rows(found: dict[str, dict[str, Any]]) -> list[dict[str, object]]:
    """The table."""
    table: list[dict[str, object]] = []
    for key, result in found.items():
        what, _, who = key.partition(", ")
        if what == "learning":
            table += [stage(who, number, s) for number, s in enumerate(result["stages"], 1)]
        elif what == "making":
            met = result["seconds"] <= MADE
            line = {"what": f"making {result['texts']:,} texts: {who}", "seconds": result["seconds"]}
            asked = f"{MADE:g} s: {said(met)}"
            table.append({**line, "a second": f"{result['tokens_per_second']:,} tokens", "bar": asked})
        elif what == "dfgan":
            speed = f"{result['images_per_second']:g} pictures"
            memory = f"at most {result['peak_mb']:.0f} MB"
            line = {"what": f"dfgan small, {PIXELS} px, a step", "seconds": result["step_s"]}
            table.append({**line, "a second": speed, "bar": memory})
        else:
            table += rounds(result)
    return table


def stage(who: str, number: int, numbers: dict[str, Any]) -> dict[str, object]:
    """A line of the table for a stage of learning."""
    line = {"what": f"a step of learning: {who}, stage {number}", "seconds": numbers["step_s"]}
    return {**line, "a second": f"{numbers['tokens_per_second']:,} tokens", "bar": ""}


def rounds(result: dict[str, Any]) -> list[dict[str, object]]:
    """Lines of the table for an adversarial round, ours and the plain one."""
    times = result["plain_round_s"] / result["round_s"]
    parts = result["plain_worth_s"] / result["worth_s"]
    met = [
        f"{ROUND:g} s: {said(result['round_s'] <= ROUND)}",
        f"{FASTER:g} times as fast: {said(times >= FASTER)} ({times:.1f}; what tokens are worth {parts:.1f})",
    ]
    named = {
        "an adversarial round of seqgan": "round_s",
        "  of it what tokens are worth": "worth_s",
        "the same round with the plain loop": "plain_round_s",
    }
    lines: list[dict[str, object]] = [
        {"what": what, "seconds": result[key], "a second": "", "bar": ""} for what, key in named.items()
    ]
    return [{**lines[0], "bar": ", ".join(met)}, *lines[1:]]


def said(met: bool) -> str:
    """Whether a bar was met."""
    return "met" if met else "not met"


if __name__ == "__main__":
    entry(main, part)
