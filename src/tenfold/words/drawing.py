"""Pictures of what is said, made by a run that learnt from pictures with captions."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..data import Codec
from ..data.texts.codec import TextCodec
from ..data.texts.layout import SPECIAL
from ..errors import RunError
from ..samples import LISTING, refuse_existing, refuse_filled, refuse_other_suffix
from ..watching.captions import shortened
from ..watching.quality import BLOCK, generate

if TYPE_CHECKING:
    from torch import Tensor

    from ..run import Run

NAMED = 8  # unknown words that a note names


@dataclass(frozen=True)
class Drawn:
    """Pictures as the networks made them, with what was said; they become files of the data's own kind.

    Attributes:
        values: `(texts * n, ...)` in [-1, 1]: first those of the first text.
        texts: what was said, once each.
        n: pictures of each text.
        codec: how values become pixels again.
        first: number of the first picture of each text within its set.
        seed: of the set.
        notes: what of the texts was not understood, a sentence each.
    """

    values: Tensor
    texts: Sequence[str]
    n: int
    codec: Codec
    first: int = 0
    seed: int = 0
    notes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, i: int) -> tuple[Tensor, str]:
        """Picture i in [-1, 1] and its caption."""
        if not 0 <= i < len(self):
            raise IndexError(i)
        return self.values[i], self.texts[i // self.n]

    @property
    def captions(self) -> list[str]:
        """What was said, of each picture."""
        return [text for text in self.texts for _ in range(self.n)]

    def numpy(self) -> np.ndarray:
        """Pixels `(texts * n, h, w, c)` of the data's own type."""
        return self.codec.decode(self.values)

    def files(self) -> list[Path]:
        """Where each picture goes."""
        texts = range(len(self.texts))
        numbers = range(self.first, self.first + self.n)
        several = len(self.texts) > 1
        stems = [f"{t:03d}-{i:06d}" if several else f"{i:06d}" for t in texts for i in numbers]
        return [Path(stem + self.codec.suffix) for stem in stems]

    def save(self, folder: str | Path) -> Path:
        """Write a file each, and `metadata.jsonl` with their captions: a folder that can be learnt from.

        Pictures with a `first` above 0 may be written beside those before them.

        Raises:
            RunError: if the folder is no folder, holds something that is not theirs, or has one of the files.
        """
        folder, files = Path(folder), self.files()
        if self.first == 0:
            refuse_filled(folder)
        refuse_existing([folder / file for file in files])
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LISTING).open("a", encoding="utf-8") as listing:
            rows = zip(self.numpy(), self.captions, files, strict=True)
            for place, (picture, caption, file) in enumerate(rows):
                self.codec.save(picture, folder / file)
                row: dict[str, Any] = {"file_name": file.as_posix(), "text": caption}
                row |= {"index": self.first + place % self.n, "seed": self.seed}
                listing.write(json.dumps(row, ensure_ascii=False) + "\n")
        return folder

    def picture(self) -> Any:  # noqa: ANN401
        """One sheet, a `PIL.Image`: of one text a grid, of several a row for each, with its words."""
        from ..report.sheet import sheet

        pixels = self.codec.preview(self.values)
        if len(self.texts) == 1:
            return sheet(pixels)
        return sheet(pixels, self.n, labels=[shortened(text) for text in self.texts])

    def grid(self, path: str | Path) -> Path:
        """Write that sheet to a file, in a folder that is made if it is not there.

        Raises:
            RunError: if the file's suffix is not that of a picture.
        """
        refuse_other_suffix(path)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.picture().save(path)
        return Path(path)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.picture().save(buffer, format="PNG")
        return buffer.getvalue()


def pictures_of(run: Run, texts: str | Sequence[str], n: int = 8, *, seed: int = 0, first: int = 0) -> Drawn:
    """Make pictures of what is said: number i of a text is a function of the run, the seed, the text and i.

    Pictures of one number are made of the same noise, whatever the text: what differs between them is said.

    Args:
        run: that learnt from pictures with captions.
        texts: what the pictures shall show.
        n: pictures of each text.
        seed: of the set.
        first: number of the first picture of each text.

    Raises:
        RunError: the run knows no captions, a text is empty, or nothing of it is known.
    """
    given = [texts] if isinstance(texts, str) else list(texts)
    refuse_request(run, given, n, first)
    codec: TextCodec = run.texts
    rows, notes = understood(codec, given)
    start = first // BLOCK * BLOCK
    starts = range(start, -(-(first + n) // BLOCK) * BLOCK, BLOCK)
    mine, found = slice(first - start, first - start + n), []
    for row in torch.from_numpy(rows).split(1):
        same = row.expand(BLOCK, -1)
        found.append(torch.cat([generate(run.sampler, same, seed, place) for place in starts])[mine])
    return Drawn(torch.cat(found), tuple(given), n, run.codec, first, seed, tuple(notes))


def refuse_request(run: Run, texts: Sequence[str], n: int, first: int) -> None:
    """Raises a RunError if nothing can be made of a request."""
    if run.spec.kind != "captioned":
        raise RunError(
            f"{run.path} was trained on {run.spec.kind}, without captions: it cannot be told what to draw. "
            "Leave --text out, or train on pictures with captions: --recipe dfgan"
        )
    if n < 1 or first < 0 or not texts:
        raise RunError(
            f"{n} pictures from number {first} of {len(texts)} texts were asked for; at least 1 from 0, of "
            "one text, was expected."
        )
    empty = [place for place, text in enumerate(texts, 1) if not text.strip()]
    if empty:
        raise RunError(f"text {empty[0]} of {len(texts)} is empty. Say what the pictures shall show.")


def understood(codec: TextCodec, texts: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Texts as rows of token numbers, and what of them was not understood.

    Raises:
        RunError: nothing of a text is known.
    """
    texts = [without_end(codec, text) for text in texts]
    for text in texts:
        if not known_tokens(codec, text):
            raise RunError(
                f"nothing of {text!r} is known: no caption that was learnt from has any of its "
                f"{codec.tokens.kind}. Say it in other words."
            )
    rows, cut = codec.rows_of(texts)
    unknown = list(dict.fromkeys(part for text in texts for part in codec.unknown(text)))
    notes = []
    if unknown:
        some = ", ".join(map(repr, unknown[:NAMED])) + (", ..." if len(unknown) > NAMED else "")
        notes.append(f"not known, and so not drawn: {some}; no caption that was learnt from has them")
    if cut:
        notes.append(f"{cut} of {len(texts)} texts are longer than {codec.layout.length} tokens, and are cut")
    return rows, notes


def known_tokens(codec: TextCodec, text: str) -> int:
    """How many tokens of a text stand for a part of it that was learnt."""
    (numbers,) = codec.numbers([text])
    return int((np.asarray(numbers) >= SPECIAL).sum())


def without_end(codec: TextCodec, text: str) -> str:
    """A text without the signs at its end, if no caption has them; the text as it is if there is no more."""
    bare = text.rstrip()
    while bare and not bare[-1].isalnum() and codec.unknown(bare[-1]):
        bare = bare[:-1].rstrip()
    return bare or text
