"""Texts made of others: the search for a likely one, and files line by line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tenfold.data.spec import DataSpec
from tenfold.data.texts.codec import TextCodec, fit_text_codec
from tenfold.data.texts.layout import END, PAD, START, UNKNOWN
from tenfold.data.texts.options import TextOptions
from tenfold.errors import DataError, RunError
from tenfold.games.seq2seq import TextTranslator
from tenfold.nn.networks.language import Alphabet
from tenfold.nn.networks.seq2seq import AttentionSeq2Seq
from tenfold.words.translating import AT_ONCE, beam_search, read_lines, translate_texts, write_lines

A, B, C = 4, 5, 6
TOKENS = 7


class Chain:
    """A distribution by hand: what follows from the last two tokens."""

    def __init__(self, shares: Tensor) -> None:
        self.shares = shares

    def read(self, source: Tensor) -> tuple[None, Tensor]:
        return None, source.new_full((len(source), 1), START)

    def write(self, memory: None, pen: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
        return self.shares[pen, token].log(), token

    def follow(self, pen: Tensor, origin: Tensor) -> Tensor:
        return pen.take_along_dim(origin, 1)


def shares(**given: dict[int, float]) -> Tensor:
    """A chain in which only the last token counts; what is not given ends."""
    last = {"start": START, "a": A, "b": B, "c": C}
    found = torch.zeros(TOKENS, TOKENS)
    found[:, END] = 1.0
    for name, follows in given.items():
        found[last[name]] = 0.0
        for token, share in follows.items():
            found[last[name], token] = share
    return found.expand(TOKENS, TOKENS, TOKENS)


def search(model: Any, beam: int, length: int, n: int = 1) -> list[list[int]]:
    return beam_search(model, torch.full((n, 2), A), beam, length).tolist()


def test_a_search_finds_what_the_likeliest_tokens_miss():
    """a is likelier than b at first, but what follows it is split three ways."""
    chain = Chain(shares(start={A: 0.6, B: 0.4}, a={A: 0.34, C: 0.33, END: 0.33}, b={END: 1.0}))
    assert search(chain, 1, 3) == [[A, A, A]]  # 0.6 * 0.34 * 0.34
    assert search(chain, 2, 3) == [[B, END, PAD]]  # 0.4, two tokens
    assert search(chain, 9, 3, n=2) == [[B, END, PAD]] * 2


def test_lengths_are_allowed_for():
    """A long text of likely tokens is better than a short one of unlikely ones, though less likely."""
    chain = Chain(shares(start={A: 0.5, END: 0.5}, a={B: 0.7, END: 0.3}, b={C: 0.7, A: 0.3}, c={END: 1.0}))
    # END: log 0.5; a b c END: (log 0.5 + 2 log 0.7) / 4
    assert search(chain, 4, 5) == [[A, B, C, END, PAD]]


def test_a_text_that_fills_all_places_has_no_end():
    chain = Chain(shares(start={A: 1.0}, a={A: 0.9, END: 0.1}))
    for beam in (1, 3):
        assert search(chain, beam, 3) == [[A, A, A]]


def best(chain: Chain, length: int) -> tuple[list[int], float]:
    """The best of all texts there are."""
    found: dict[tuple[int, ...], float] = {}
    for size in range(length + 1):
        for text in product((A, B, C), repeat=size):
            whole = text if size == length else (*text, END)
            before = [START, START, *whole]
            said = [chain.shares[before[i], before[i + 1], token].log() for i, token in enumerate(whole)]
            found[whole] = torch.stack(said).mean().item()
    text = max(found, key=found.__getitem__)
    return [*text, *[PAD] * (length - len(text))], found[text]


def worth(chain: Chain, row: list[int]) -> float:
    """Logarithm of the likelihood of a text per token."""
    whole = [token for token in row if token != PAD]
    before = [START, START, *whole]
    return sum(chain.shares[before[i], before[i + 1], t].log().item() for i, t in enumerate(whole)) / len(
        whole
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_wide_search_finds_the_best_of_all(seed):
    random = torch.Generator().manual_seed(seed)
    table = torch.rand(TOKENS, TOKENS, TOKENS, generator=random)
    table[:, :, [PAD, START, UNKNOWN]] = 0
    chain = Chain(table / table.sum(2, keepdim=True))
    wanted, most = best(chain, 4)
    assert search(chain, 81, 4) == [wanted]
    for beam in (1, 2, 5):
        assert worth(chain, search(chain, beam, 4)[0]) <= most + 1e-6


def translator(length: int = 6) -> TextTranslator:
    torch.manual_seed(0)
    alphabet = Alphabet(TOKENS, START, (PAD, START, UNKNOWN))
    return TextTranslator(AttentionSeq2Seq(9, alphabet, embedding=5, width=8), length).eval()


def test_one_beginning_takes_the_likeliest_token_each_time():
    one, source = translator(), torch.randint(4, 9, (32, 5))
    with torch.no_grad():
        one.network.last.linear.bias[END] += 0.5  # some texts end, some do not
        greedy = one.written(source).tokens
    assert torch.equal(beam_search(one.network, source, 1, 6), greedy)


def test_more_beginnings_find_likelier_texts_and_each_source_its_own():
    one, source = translator(), torch.randint(4, 9, (32, 5))
    with torch.no_grad():
        one.network.last.linear.weight *= 4
        found = {beam: beam_search(one.network, source, beam, 6) for beam in (1, 8)}
        each = {k: one.likelihood(source, text) / (text != PAD).sum(1) for k, text in found.items()}
        alone = torch.cat([beam_search(one.network, source[i : i + 1], 8, 6) for i in range(32)])
    assert each[8].mean() > each[1].mean()
    assert torch.equal(alone, found[8])


class Copier(nn.Module):
    """Writes what it read."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.tokens = tokens

    def read(self, source: Tensor) -> tuple[Tensor, Tensor]:
        return F.pad(source, (0, 9), value=END), source.new_zeros(len(source), 1)

    def write(self, memory: Tensor, pen: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
        wanted = memory.gather(1, pen)
        return 30.0 * F.one_hot(wanted, self.tokens).float(), pen + 1

    def follow(self, pen: Tensor, origin: Tensor) -> Tensor:
        return pen.take_along_dim(origin, 1)


@dataclass
class Trained:
    """What is asked of a run."""

    sampler: Any
    texts: TextCodec
    path: str = "runs/copies"

    @property
    def source_texts(self) -> TextCodec:
        return self.texts

    @property
    def spec(self) -> DataSpec:
        return DataSpec("text_pairs", self.texts.shape, 9)

    @property
    def facts(self) -> dict[str, str]:
        return {"recipe": "seq2seq_gan"}


@pytest.fixture
def run() -> Any:
    codec, _ = fit_text_codec(["abcde", "edcba"], TextOptions(tokens="characters", length=8))
    return Trained(TextTranslator(Copier(codec.tokens.size), 8), codec)  # pyright: ignore


LINES = ["b", "", "abc", "  ", "ab", "edcba"]


def test_lines_keep_their_order_and_empty_ones_stay_empty(run):
    found = translate_texts(run, LINES)
    assert found.texts == ["b", "", "abc", "", "ab", "edcba"]
    assert (found.empty, found.cut, found.unknown, found.written) == (2, 0, 0, None)
    assert found.notes() == ["2 of 6 lines hold nothing, and stay so"]


def test_blanks_at_the_ends_of_lines_are_no_part_of_them(run):
    found = translate_texts(run, [" ab\t", "ab "])
    assert found.texts == ["ab", "ab"] and found.unknown == 0


def test_a_file_becomes_a_file(run, tmp_path):
    given, out = tmp_path / "in.txt", tmp_path / "new" / "out.txt"
    given.write_bytes(b"\xef\xbb\xbfb\r\n\nabc\nab")
    found = translate_texts(run, given, out)
    assert found.written == out
    assert out.read_bytes() == b"b\n\nabc\nab\n"
    folder = tmp_path / "folder"
    folder.mkdir()
    assert translate_texts(run, str(given), str(folder)).written == folder / "in.txt"
    assert [path.name for path in out.parent.iterdir()] == ["out.txt"]


def test_many_lines_of_any_length_are_translated_in_their_order(run):
    random = torch.Generator().manual_seed(0)
    lengths = torch.randint(0, 8, (2 * AT_ONCE + 9,), generator=random).tolist()
    lines = ["".join("abcde"[(i + j) % 5] for j in range(n)) for i, n in enumerate(lengths)]
    for beam in (1, 4):
        assert translate_texts(run, lines, beam=beam).texts == lines


def test_what_is_too_long_or_was_never_learnt_is_counted(run):
    found = translate_texts(run, ["abcdeabc", "abcdeabcd", "axb", "ab"])
    assert found.texts[0] == found.texts[1] == "abcdeabc" and found.texts[3] == "ab"
    assert "\N{REPLACEMENT CHARACTER}" not in found.texts[2]
    assert (found.cut, found.unknown) == (1, 1)
    assert found.notes() == [
        "1 of 4 lines have more than 8 tokens: their beginning was translated",
        "1 of 4 lines hold something that was never learnt, and is guessed",
    ]


def test_nothing_but_empty_lines(run):
    assert translate_texts(run, ["", " "]).texts == ["", ""]
    assert translate_texts(run, []).texts == []


def test_files_that_are_no_texts_are_named(run, tmp_path):
    given, out = tmp_path / "in.txt", tmp_path / "out.txt"
    given.write_bytes(b"ab\n\xff\xfe\nab\n")
    with pytest.raises(DataError, match=r"in\.txt is not UTF-8 text.*line 2"):
        translate_texts(run, given, out)
    given.write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        translate_texts(run, given, out)
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            read_lines(path)
    assert not out.exists()


def test_nothing_is_overwritten_and_nothing_half_written(run, tmp_path):
    out = tmp_path / "out.txt"
    out.write_text("mine")
    with pytest.raises(RunError, match="exists already"):
        translate_texts(run, LINES, out)
    with pytest.raises(RunError, match="is a folder"):
        translate_texts(run, LINES, tmp_path)
    with pytest.raises(RunError, match="cannot be written"):
        write_lines(["a"], out / "below.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]
    assert out.read_text() == "mine"


def test_a_translation_is_one_line(tmp_path: Path):
    write_lines(["a\nb", "c\r\nd", "e"], tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == "a b\nc d\ne\n"


def test_runs_of_others_and_no_beginning_are_refused(run):
    with pytest.raises(RunError, match="--beam is 0"):
        translate_texts(run, LINES, beam=0)
    run.sampler = nn.Identity()
    with pytest.raises(RunError, match="makes no texts of others"):
        translate_texts(run, LINES)
