"""What `tenfold translate` does of texts: each line of a file made into another, by beam search.

References:
    Google's Neural Machine Translation System: Bridging the Gap between Human and Machine Translation
    (Wu et al., 2016), https://arxiv.org/abs/1609.08144, section 7, for why lengths must be allowed for
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..data.texts.layout import END, PAD, START, UNKNOWN
from ..data.texts.lines import decoded, lines_of
from ..errors import DataError, RunError
from ..games.seq2seq import TextTranslator
from ..run import Run
from ..tiling import silent
from ..watching.progress import Say, told

if TYPE_CHECKING:
    from ..data.texts.codec import TextCodec

AT_ONCE = 64  # lines
NEVER = [PAD, START, UNKNOWN]  # are no part of a translation

M = TypeVar("M")
P = TypeVar("P")


class Writes(Protocol[M, P]):
    """What reads texts, and writes k others of each, token by token."""

    def read(self, source: Tensor) -> tuple[M, P]:
        """What is to be known of sources `(n, s)`, and a pen for each."""
        ...

    def write(self, memory: M, pen: P, token: Tensor) -> tuple[Tensor, P]:
        """Logits `(n, k, v)` of what follows the last tokens `(n, k)`, and the pens behind these."""
        ...

    def follow(self, pen: P, origin: Tensor) -> P:
        """Pens that go on where others of the same source stand, by their numbers `(n, k)`."""
        ...


@dataclass(frozen=True)
class TranslatedTexts:
    """What became of some lines.

    Attributes:
        texts: a translation of each, in their order; nothing of a line that holds nothing.
        empty: how many hold nothing.
        cut: how many are longer than what the model reads; the beginning was translated.
        unknown: how many hold something that was never learnt.
        length: tokens that the model reads, at most.
        written: the file, if one was asked for.
    """

    texts: list[str] = field(repr=False)
    empty: int = 0
    cut: int = 0
    unknown: int = 0
    length: int = 0
    written: Path | None = None

    def notes(self) -> list[str]:
        """What a person should know, a sentence each."""
        said = [
            (self.empty, "hold nothing, and stay so"),
            (self.cut, f"have more than {self.length} tokens: their beginning was translated"),
            (self.unknown, "hold something that was never learnt, and is guessed"),
        ]
        return [f"{count:,} of {len(self.texts):,} lines {what}" for count, what in said if count]


def translate_texts(
    run: Run,
    source: str | Path | Sequence[str],
    out: str | Path | None = None,
    *,
    beam: int = 4,
    say: Say = silent,
) -> TranslatedTexts:
    """Translate every line of a file, or every text of a list.

    Args:
        run: a run on pairs of texts.
        source: a file of UTF-8 with a text on each line; or texts.
        out: the file of the translations, a line for each line; or a folder for one of the same name.
        beam: how many beginnings of each translation are gone on with; 1 takes the likeliest token each time.
        say: told how far it is.

    Raises:
        RunError: the run makes no texts of others, or a file is in the way.
        DataError: the file cannot be read, or holds no line.
    """
    translator = translator_of(run)
    if beam < 1:
        raise RunError(f"--beam is {beam}; at least 1 was expected.")
    target = None if out is None else place_for(source, Path(out))
    lines = read_lines(Path(source)) if isinstance(source, str | Path) else list(source)
    lines = [line.strip() for line in lines]  # as those that were learnt from
    given, made = run.source_texts, run.texts
    filled = [number for number, line in enumerate(lines) if line]
    rows, cut = given.rows_of([lines[number] for number in filled])
    texts = [""] * len(lines)
    found = translations(translator, made, rows, beam, say)
    for number, text in zip(filled, found, strict=True):
        texts[number] = text
    if target is not None:
        write_lines(texts, target)
    unknown = int((rows == UNKNOWN).any(1).sum())
    return TranslatedTexts(texts, len(lines) - len(filled), cut, unknown, given.layout.length, target)


def translator_of(run: Run) -> TextTranslator:
    """What makes texts of others.

    Raises:
        RunError: the run does not.
    """
    sampler = run.sampler
    if not isinstance(sampler, TextTranslator):
        raise RunError(
            f"{run.path} makes no texts of others: it was trained on {run.spec.kind}, with recipe "
            f"{run.facts['recipe']!r}. Train one on pairs of texts: --recipe seq2seq_gan"
        )
    return sampler


def place_for(source: str | Path | Sequence[str], out: Path) -> Path:
    """The file that is to be written.

    Raises:
        RunError: something is there.
    """
    target = out
    if isinstance(source, str | Path) and out.is_dir():
        target = out / Path(source).name
    if target.is_dir():
        raise RunError(f"{target} is a folder; a file was expected. Choose another place.")
    if target.exists():
        raise RunError(f"{target} exists already and would be overwritten. Choose another place.")
    return target


def read_lines(path: Path) -> list[str]:
    """The lines of a file.

    Raises:
        DataError: it cannot be read, is no UTF-8, or is empty.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}). Name a file with a text on each line."
        ) from error
    lines = lines_of(decoded(raw, path.name))
    if not lines:
        raise DataError(f"{path} is empty; a text on each line was expected.")
    return lines


def write_lines(texts: Sequence[str], target: Path) -> None:
    """Write a text on each line; the file is there whole or not at all.

    Raises:
        RunError: it cannot be written.
    """
    fresh = target.with_name(f".{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with fresh.open("w", encoding="utf-8", errors="replace", newline="\n") as stream:
                stream.writelines(re.sub(r"[\r\n]+", " ", text) + "\n" for text in texts)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{target} cannot be written ({error}). Choose another place.") from error


def translations(
    translator: TextTranslator, codec: TextCodec, rows: Int[np.ndarray, "n s"], beam: int, say: Say
) -> list[str]:
    """A translation of each row, in their order.

    Rows of one length are translated together, so that short ones do not wait for long ones.
    """
    order = np.argsort((rows != PAD).sum(1), kind="stable")
    steps = [slice(i, min(i + AT_ONCE, len(rows))) for i in range(0, len(rows), AT_ONCE)]
    texts = [""] * len(rows)
    for some in told(steps, len(rows), "lines", say):
        source = torch.from_numpy(rows[order[some]])
        found = codec.decode(beam_search(translator.network, source, beam, translator.length))
        for number, text in zip(order[some], found, strict=True):
            texts[number] = text
    return texts


@torch.no_grad()
def beam_search(
    model: Writes[M, P], source: Int[Tensor, "n s"], beam: int, length: int
) -> Int[Tensor, "n length"]:
    """A likely text of each source: that of the greatest likelihood per token among those that were found.

    The likeliest beginnings are gone on with, and a text is found when its end is among them. The search is
    over when none can come out better any more; or when as many texts were found as there are beginnings,
    and none of these is likelier per token so far. With one beginning it takes the likeliest token each time.

    Args:
        model: reads and writes.
        source: token numbers.
        beam: how many beginnings.
        length: tokens of a text, at most.
    """
    memory, pen = model.read(source)
    beams = Beams(source, beam, length)
    token, origin = torch.full_like(beams.ended, START)[:, None].expand(-1, beam), beams.origin
    for place in range(length):
        pen = model.follow(pen, origin)
        logits, pen = model.write(memory, pen, token)
        said = logits.float().log_softmax(2)
        said[:, :, NEVER] = -torch.inf
        origin, token = beams.extend(place, said)
        if beams.done.all():
            break
    return beams.texts()


class Beams:
    """The likeliest beginnings of each text, and the best whole one so far.

    Args:
        source: a row for each text.
        beam: beginnings of each.
        length: tokens of a text, at most.

    Attributes:
        origin: the beginning that each is at first a copy of: the empty one.
        ended: how many whole texts were among the likeliest.
        done: whether the search for a text is over.
    """

    def __init__(self, source: Tensor, beam: int, length: int) -> None:
        count = len(source)
        self.beam, self.length = beam, length
        self.origin = source.new_zeros(count, beam)
        self.tokens = source.new_full((count, beam, length), PAD)
        self.scores = torch.full((count, beam), -torch.inf, device=source.device)
        self.scores[:, 0] = 0.0  # the others are the same, and would be found as often
        self.best = torch.full((count,), -torch.inf, device=source.device)
        self.text = source.new_full((count, length), PAD)
        self.ended = source.new_zeros(count)
        self.done = torch.zeros(count, dtype=torch.bool, device=source.device)

    def extend(
        self, place: int, said: Float[Tensor, "n k v"]
    ) -> tuple[Int[Tensor, "n k"], Int[Tensor, "n k"]]:
        """Let every beginning grow by a token.

        Args:
            place: of the token.
            said: logarithm of the likelihood of each token behind each beginning.

        Returns:
            Of the new beginnings the old one that each grew from, and the token.
        """
        options = said.shape[2]
        totals = (self.scores[:, :, None] + said).flatten(1)
        # Each beginning has one end: among twice as many there are always enough that go on.
        top, which = totals.topk(min(2 * self.beam, totals.shape[1]), 1)
        origin, token = which // options, which % options
        self.note_ends(place, top[:, : self.beam], origin[:, : self.beam], token[:, : self.beam])
        self.scores, chosen = top.masked_fill(token == END, -torch.inf).topk(self.beam, 1)
        origin, token = origin.gather(1, chosen), token.gather(1, chosen)
        self.tokens = self.tokens.take_along_dim(origin[:, :, None], 1)
        self.tokens[:, :, place] = token
        # At best a beginning goes on to the greatest length with tokens that are certain.
        beaten = self.best >= self.scores[:, 0] / self.length
        enough = (self.ended >= self.beam) & (self.best >= self.scores[:, 0] / (place + 1))
        self.done = self.done | beaten | enough
        return origin, token

    def note_ends(
        self,
        place: int,
        top: Float[Tensor, "n k"],
        origin: Int[Tensor, "n k"],
        token: Int[Tensor, "n k"],
    ) -> None:
        """Keep the best of the texts that end here, and count them."""
        ends = (token == END) & top.isfinite()
        worth, at = (top / (place + 1)).masked_fill(~ends, -torch.inf).max(1)
        better = (worth > self.best) & ~self.done
        whole = self.tokens.take_along_dim(origin.gather(1, at[:, None])[:, :, None], 1)[:, 0]
        whole[:, place] = END
        self.text = torch.where(better[:, None], whole, self.text)
        self.best = torch.where(better, worth, self.best)
        self.ended = self.ended + ends.sum(1)

    def texts(self) -> Int[Tensor, "n length"]:
        """The best text of each; one that fills all places has no end."""
        better = (self.scores[:, 0] / self.length > self.best) & ~self.done
        return torch.where(better[:, None], self.tokens[:, 0], self.text)
