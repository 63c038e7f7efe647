"""One training: a trainer, its folder, and what watches it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path
from time import perf_counter
from typing import Any

from .draw import derive
from .engine.checkpoint import KEPT, Checkpoints, drop_old
from .engine.runtime import Runtime
from .engine.trainer import Trainer, Watch
from .errors import Diverged, Interrupted, RunError
from .folder import disk_errors, update_facts
from .game import Translator
from .metrics.features import Features
from .options import Options
from .plan import Plan
from .probe import Stages, mean_seconds, processor
from .recipe import Choice
from .report.curves import curves
from .watching.health import Health, health
from .watching.journal import Journal, Record, read_journal
from .watching.judge import Judge
from .watching.progress import Progress
from .watching.spacing import looks_left, spacing, when_late
from .watching.stopping import LOOKS, NAMES, Stop, parse_condition, reason_to_stop

SAVE_EVERY_S = 30.0
DRAW_EVERY_S = 20.0
RESERVE = 0.05  # of a time budget, for what was not measured
PACED = (1 / 8, 1 / 2)  # of a run, where its own pace is known: beyond the first look, and with augmentation
SEEN_FROM, SEEN_CHANNELS = 24, 4  # pixels of the longer side, and channels, that a pretrained network sees


@dataclass
class Training:
    """Plays a trainer to its end and leaves a whole folder behind, however it ends.

    Attributes:
        plan: what was decided.
        trainer: at its start, or where a checkpoint left it.
        folder: the run's.
        journal, progress, quality: what watches.
        planned_looks: how often quality is looked at over the run.
        options: of which the rules for an early end are followed.
        latest: the last value of everything logged.
        looks: what each look at quality found, oldest first.
        resumed: how many of them there were when training was resumed.
        look_s, draw_s: seconds spent on measuring quality, and on sheets and curves.
        stopped: why the run ended before its time, if by itself.
        ends_at: when its time is over, by `perf_counter`; None if it is not bound by time.
        paced: how often the rest of it was planned by its own pace.
        since: of that pace: when it began, by `perf_counter`, seconds of looks and samples seen by then.
        stages: where each stage of the run begins, as a share of it, and seconds of a step there.
    """

    plan: Plan
    trainer: Trainer
    folder: Path
    journal: Journal
    progress: Progress
    quality: Judge
    planned_looks: int = LOOKS
    options: Options = Options()
    latest: dict[str, float] = field(default_factory=dict)
    looks: list[Record] = field(default_factory=list)
    resumed: int = 0
    look_s: float = 0.0
    draw_s: float = 0.0
    stopped: Stop | None = None
    ends_at: float | None = None
    paced: int = 0
    since: tuple[float, float, int] = (0.0, 0.0, 0)
    stages: Stages = ((0.0, 1.0),)
    saved_at: float = field(default_factory=perf_counter)
    drawn_at: float = field(default_factory=perf_counter)

    def watch(self) -> None:
        """Attach everything to the trainer. Only the first rank writes."""
        size, planned = self.trainer.data.size, self.trainer.settings.planned
        often = self.trainer.settings.log_every * size
        seldom, late = spacing(self.trainer.game, self.planned_looks, planned, size)
        # The log is a sum over ranks, so all keep it; before a look, too: what is not finite is found first.
        self.trainer.watches = [Watch(n, self.log, n == seldom) for n in (often, seldom, late)]
        if self.trainer.runtime.rank == 0:
            looks = [Watch(seldom, self.look, brinks=True), Watch(late, when_late(self.look))]
            self.trainer.watches += [*self.quality.watches, *looks, Watch(often, self.save_now_and_then)]
        if self.ends_at is not None and self.paced < len(PACED):
            self.trainer.watches.append(Watch(max(int(PACED[self.paced] * planned), size), self.keep_time))

    def keep_time(self, trainer: Trainer) -> None:
        """Early in the run, and again in its middle: plan the rest of its time by its own pace since then."""
        assert self.ends_at is not None
        (began_at, before_s, seen), now, looked_s = self.since, perf_counter(), self.look_s + self.draw_s
        left = looks_left(trainer.game, self.planned_looks, len(self.looks))
        looks_s = looked_s / max(len(self.looks), 1) * left
        sample_s = (now - began_at - (looked_s - before_s)) / (trainer.seen - seen)
        size, before = trainer.data.size, trainer.goal
        slower = self.slower_later(seen / trainer.settings.planned, trainer.progress)
        fit = trainer.step + int((self.ends_at - now - looks_s) / (sample_s * slower * size))
        # With less than half of the rest the rates would not fall, nor anyone look at the end.
        least = trainer.step + ceil((before - trainer.step) / 2)
        steps = min(max(fit, least), 2 * before)
        if self.plan.most_samples is not None:
            steps = min(steps, max(before, self.plan.most_samples // size))
        planned = int(trainer.runtime.share(str(steps * size)))
        self.paced, self.since = self.paced + 1, (now, looked_s, trainer.seen)
        trainer.plan_anew(planned)
        self.progress.planned = planned
        self.watch()
        if trainer.runtime.rank == 0:
            why = f"samples fit into the time at {1000 * sample_s * size:.1f} ms a step, as it goes"
            kept = [choice for choice in self.plan.choices if choice.name != "planned"]
            choices = [asdict(choice) for choice in (*kept, Choice("planned", planned, why))]
            update_facts(self.folder, {"planned": planned, "choices": choices})
            self.progress.say(f"planned = {planned}: {why} (it was {before * size})")

    def slower_later(self, since: float, now: float) -> float:
        """How many times as long a step takes from now on as it took since an earlier share of the run."""
        return mean_seconds(self.stages, now) / mean_seconds(self.stages, since, now)

    def log(self, trainer: Trainer) -> None:
        """Write the means of terms and signals, and show the live line."""
        values = trainer.flush()
        if trainer.runtime.rank or not values:
            return
        self.latest |= values
        self.journal.write(trainer.seen, values)
        self.progress.show(trainer, values, self.health().verdict)

    def look(self, trainer: Trainer) -> None:
        """Measure samples, draw the sheet and the curves, and see whether to end here."""
        self.refuse_broken()
        if [trainer.seen] == [x["seen"] for x in self.looks[-1:]] or trainer.progress < trainer.game.starts:
            return  # this has been seen, or G is as it was born
        begun, before = perf_counter(), self.quality.best
        values = self.quality.look(trainer)
        self.look_s += perf_counter() - begun
        self.latest = {k: v for k, v in self.latest.items() if k not in NAMES} | values
        self.looks.append({"seen": trainer.seen, **values})
        if self.quality.best is not before:
            self.save()
        verdict = self.health()
        self.journal.write(trainer.seen, values)
        self.consider_stopping()
        begun = perf_counter()
        self.draw()
        self.draw_s += perf_counter() - begun
        self.progress.say(
            f"{trainer.seen / 1000:.1f} kimg: {self.quality.words(values)}: {verdict.verdict} ({verdict.why})"
        )

    def consider_stopping(self) -> None:
        """End the run if the rules say so; the last look of all needs none."""
        options, best = self.options, self.quality.best
        condition = None if options.stop_when is None else parse_condition(options.stop_when)
        looks, seen = self.looks[self.resumed :], None if best is None else best.seen
        if self.trainer.seen < self.trainer.settings.planned:
            self.stopped = reason_to_stop(looks, seen, patience=options.patience, condition=condition)
            self.trainer.stopping |= self.stopped is not None

    def draw(self) -> None:
        """The sheet on fixed noise, and the curves so far."""
        sampler, device = self.trainer.ema.module, self.trainer.runtime.device
        if self.plan.data.spec.pictures or self.plan.data.texts is not None:
            sheets = self.folder / "sheets"
            sheets.mkdir(exist_ok=True)
            path, seed = sheets / f"{self.trainer.seen:012d}.png", derive(self.plan.seed, "sheet")
            self.quality.draw(sampler, path, device, seed)
        ended = self.stopped is not None or self.trainer.seen >= self.progress.planned
        if ended or perf_counter() - self.drawn_at > DRAW_EVERY_S:
            curves(read_journal(self.journal.path), self.folder / "curves.png")
            self.drawn_at = perf_counter()

    def health(self) -> Health:
        """The verdict on the latest values."""
        return health(self.latest, self.looks, self.quality.count)

    def save_now_and_then(self, trainer: Trainer) -> None:
        """A checkpoint every half minute; when does not matter to the result."""
        if perf_counter() - self.saved_at > SAVE_EVERY_S and trainer.whole():
            self.save()

    def save(self) -> None:
        """A checkpoint. Only the first rank writes.

        Raises:
            Diverged: if a parameter is not finite.
        """
        self.refuse_broken()
        if self.trainer.runtime.rank:
            return
        extra = {
            "seconds": self.journal.seconds,
            "look_s": self.look_s,
            "draw_s": self.draw_s,
            "latest": self.latest,
            "best": self.quality.facts(),
        }
        Checkpoints(self.folder / "checkpoints").save(self.trainer, extra)
        drop_old(self.folder / "best", KEPT + 1)  # those that the kept checkpoints speak of
        self.saved_at = perf_counter()

    def refuse_broken(self) -> None:
        """Raises a Diverged if a parameter is not finite: there is nothing to measure or to save."""
        if not self.trainer.whole():
            raise Diverged(
                f"a parameter is not finite at step {self.trainer.step}. Try a lower learning rate."
            )

    def resume(self) -> None:
        """Go back to the last checkpoint, and forget what was logged after it."""
        runtime = self.trainer.runtime
        extra = Checkpoints(self.folder / "checkpoints").load(self.trainer)
        self.latest = dict(extra["latest"])
        self.journal.started = perf_counter() - extra["seconds"]
        # a run of an earlier version has none of these
        self.look_s, self.draw_s = extra.get("look_s", 0.0), extra.get("draw_s", 0.0)
        try:
            self.quality.recall_best(extra["best"], self.trainer.ema.module, runtime.device)
        except RunError:
            self.progress.say("the best sampler so far is missing or damaged; the next look chooses anew")
        if runtime.rank == 0:
            self.journal.forget_after(self.trainer.seen)
            looked = {"spread", "heldout_nll"}  # texts that are all the same have no spread
            self.looks = [record for record in read_journal(self.journal.path) if looked & record.keys()]
            self.resumed = len(self.looks)
        runtime.barrier()

    def play(self, begun: float | None = None) -> None:
        """Train to the planned number of samples; however it ends, the run's record says where it is.

        Args:
            begun: since when a time budget is spent, by `perf_counter`; None to keep to the number.

        Raises:
            Interrupted: if the user asked to stop; everything is saved.
            Diverged: if a term was not finite a second time, at half the learning rate.
        """
        self.since = perf_counter(), self.look_s + self.draw_s, self.trainer.seen
        if begun is not None and self.plan.budget_s is not None:
            self.ends_at = begun + (1 - RESERVE) * self.plan.budget_s
            self.watch()
        try:
            with stopping(self.trainer), disk_errors(self.folder):
                self.advance()
                self.save()
        finally:
            self.progress.done()
            self.note_end()
        early = self.trainer.runtime.share("" if self.stopped is None else self.stopped.why)
        if self.trainer.seen < self.trainer.settings.planned and not early:
            raise Interrupted(
                f"stopped at {self.trainer.seen / 1000:.1f} kimg; all is saved. Go on with: "
                f"tenfold fit --resume {self.folder}"
            )
        if early:
            kimg = self.trainer.seen / 1000
            self.progress.say(f"stopped at {kimg:.1f} kimg: {early}. To go on: --resume {self.folder}")
        self.progress.say(f"done: {self.folder} ({self.health().verdict}). To use it: {self.how_to_sample()}")

    def how_to_sample(self) -> str:
        """A command; for a recipe that the command line does not know, a line of Python."""
        kind = self.plan.data.spec.kind
        if kind == "text_pairs":
            return f"tenfold translate {self.folder} in.txt out.txt"
        if isinstance(self.trainer.game.sampler, Translator):
            return f"tenfold translate {self.folder} IN OUT"
        rows = {"table": "rows.csv", "series": "series.csv", "texts": "texts.txt"}.get(kind)
        if self.plan.data.series is not None and self.plan.data.series.container is None:
            rows = "series.npy"
        if kind == "captioned":
            return f'tenfold sample {self.folder} --text "..." -n 8 --out samples/'
        if type(self.plan.recipe).__module__.startswith("tenfold."):
            return f"tenfold sample {self.folder} -n 100 --out {rows or 'samples/'}"
        return f'tenfold.load("{self.folder}").sample(100)' + ('.save("samples")' if rows is None else "")

    def note_end(self) -> None:
        """Write where the run is into its record."""
        if self.trainer.runtime.rank:
            return
        facts = {
            "seen": self.trainer.seen,
            "seconds": round(self.journal.seconds, 1),
            "look_s": round(self.look_s, 2),
            "draw_s": round(self.draw_s, 2),
            "stopped": None if self.stopped is None else asdict(self.stopped),
            "latest": self.latest,
            "health": asdict(self.health()),
            "best": self.quality.facts(),
        }
        with disk_errors(self.folder):
            update_facts(self.folder, facts)

    def advance(self) -> None:
        """Play on; once, come back from a divergence with half the learning rate."""
        try:
            self.trainer.fit(self.trainer.settings.planned / 1000)
        except Diverged as error:
            if self.trainer.rate < 1:
                raise
            self.resume()
            self.trainer.rate = 0.5
            self.progress.say(f"{error} Back to {self.trainer.seen} samples with half the learning rate.")
            self.trainer.fit(self.trainer.settings.planned / 1000)


@contextmanager
def stopping(trainer: Trainer) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the run after its present step; a second Ctrl-C ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: Any) -> None:  # noqa: ANN401
        if trainer.stopping:
            raise KeyboardInterrupt
        trainer.stopping = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def feature_network(
    plan: Plan, folder: Path, runtime: Runtime, *, fresh: bool = False
) -> tuple[Features, Choice]:
    """What distances are measured in: a classifier of the user's labels, kept with the run, if there are any.

    The first rank trains it, the others wait and read it.

    Args:
        plan: what was decided.
        folder: the run's.
        runtime: where it computes.
        fresh: train it even if there is one, which then a start that failed has left.
    """
    from .metrics.classifier import Classifier, train_classifier
    from .metrics.features import ClassifierFeatures

    spec = plan.data.spec
    if not spec.pictures or len(spec.classes) < 2 or spec.kind == "captioned":
        return without_labels(plan)
    path = folder / "features.safetensors"
    there = path.is_file() and path.with_suffix(".json").is_file()
    if runtime.rank == 0 and (fresh or not there):
        classes, seed = len(spec.classes), derive(0, "features")
        train_classifier(plan.data.train, classes=classes, seed=seed).save(path)
    runtime.barrier()
    choice = Choice("features", "classifier", "trained on the data's labels")
    return ClassifierFeatures(Classifier.load(path)), choice


def without_labels(plan: Plan) -> tuple[Features, Choice]:
    """The best features that need no labels; not those that training looks through."""
    from .metrics.features import Pixels, default_features

    spec, through = plan.data.spec, plan.recipe.looks_through
    if not spec.pictures:
        return Pixels(), Choice("features", "pixels", "the values themselves: the data are no pictures")
    if through:
        return Pixels(), Choice("features", "pixels", f"training looks through {through}")
    if max(spec.shape[1:]) < SEEN_FROM or spec.shape[0] > SEEN_CHANNELS:
        why = f"a network of other pictures sees nothing in {'x'.join(map(str, spec.shape))} numbers"
        return Pixels(), Choice("features", "pixels", why)
    features, why = default_features(images=True)
    return features, Choice("features", features.name, f"there are no labels; {why}")


def environment(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Versions and machine, for the record."""
    import platform

    import numpy
    import torch

    from . import __version__

    return {
        "tenfold": __version__,
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "cpus": os.cpu_count(),
        **facts,
    }
