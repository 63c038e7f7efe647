"""From what is said to pictures and files; what looks at a run of pictures with captions; made-up scenes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from tenfold.data import Codec
from tenfold.data.spec import DataSpec
from tenfold.data.texts.codec import TextCodec, fit_text_codec
from tenfold.data.texts.options import TextOptions
from tenfold.draw import Draw
from tenfold.errors import RunError
from tenfold.game import Sampler
from tenfold.metrics.rows import Undefined
from tenfold.watching.captions import (
    FromCaptions,
    different,
    generate_captioned,
    reader_from,
    reader_of,
    shortened,
)
from tenfold.words.drawing import pictures_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TEXTS = ["a red square", "a blue square", "a red disc", "a blue disc"]
CODEC = Codec("images", 1, 4, 4, 4, 4, "uint8", (0.0,), (255.0,), ".png")


class Showing(Sampler):
    """Pictures whose upper half says the noise, and whose lower half a token of the caption."""

    def draw(self, draw: Draw) -> Tensor:
        return draw.uniform(1)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        assert condition is not None and len(condition) == len(z) == 64
        noise = z[:, :, None, None].expand(-1, 1, 2, 4)
        said = (condition[:, 1].float() / 100)[:, None, None, None].expand(-1, 1, 2, 4)
        return torch.cat([noise, said], 2)


def codec() -> TextCodec:
    return fit_text_codec(TEXTS, TextOptions(tokens="words"))[0]


@dataclass
class Trained:
    """As much of a run as drawing wants."""

    kind: str = "captioned"
    path: Path = Path("runs/words")

    @property
    def spec(self) -> DataSpec:
        return DataSpec(self.kind, (1, 4, 4), 4, text=codec().layout)

    texts, codec, sampler = codec(), CODEC, Showing()


def drawn(texts, n=3, **how):
    return pictures_of(Trained(), texts, n, **how)  # pyright: ignore


def test_every_text_is_drawn_from_the_same_noise():
    found = drawn(["a red disc", "a blue disc"])
    assert len(found) == 6 and found.values.shape == (6, 1, 4, 4)
    noise, said = found.values[:, 0, 0, 0], found.values[:, 0, 3, 0]
    assert torch.equal(noise[:3], noise[3:]) and len({*noise[:3].tolist()}) == 3
    assert len({*said[:3].tolist()}) == 1 and said[0] != said[3]
    assert found[4][1] == "a blue disc" and torch.equal(found[4][0], found.values[4])
    assert found.captions == ["a red disc"] * 3 + ["a blue disc"] * 3


def test_a_picture_is_a_function_of_its_number():
    whole, tail = drawn("a red disc", 70), drawn("a red disc", 5, first=65)
    assert torch.equal(whole.values[65:], tail.values)
    assert not torch.equal(drawn("a red disc", seed=1).values, whole.values[:3])


def test_a_folder_that_can_be_learnt_from(tmp_path):
    folder = drawn(["a red disc", "a blue disc"], 2).save(tmp_path / "more")
    lines = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
    assert [line["text"] for line in lines] == ["a red disc"] * 2 + ["a blue disc"] * 2
    assert [line["index"] for line in lines] == [0, 1, 0, 1]
    assert all((folder / line["file_name"]).is_file() for line in lines)
    with pytest.raises(RunError, match="not empty"):
        drawn("a red disc").save(folder)


def test_sheets(tmp_path):
    one = drawn("a red disc", 4).grid(tmp_path / "one.png")
    several = drawn(["a red disc", "a blue square"], 4).grid(tmp_path / "sheets" / "several.png")
    assert Image.open(one).width > 300 and Image.open(several).width > 300
    with pytest.raises(RunError, match="does not end like a picture"):
        drawn("a red disc").grid(tmp_path / "one.txt")


def test_what_is_not_known_is_said():
    found = drawn(["a red disc", "a green disc"])
    assert len(found.notes) == 1 and "'green'" in found.notes[0] and "'red'" not in found.notes[0]
    longer = drawn("a red disc a red disc a red disc")
    assert any("are cut" in note for note in longer.notes)
    assert drawn("a red disc").notes == ()


def test_capitals_and_signs_at_the_end_change_nothing(monkeypatch):
    monkeypatch.setattr(
        Trained, "texts", fit_text_codec(TEXTS, TextOptions(tokens="words"), captions=True)[0]
    )
    plain = drawn("a red disc")
    for text in ("A Red Disc", "A RED DISC.", "a red disc !"):
        found = drawn(text)
        assert torch.equal(found.values, plain.values) and found.notes == ()
        assert found.captions == [text] * 3
    assert "'one'" in drawn("A BLUE ONE.").notes[0] and "'.'" not in drawn("A BLUE ONE.").notes[0]


EMPTY, FOREIGN = ["a red disc", " "], "une chaise"


@pytest.mark.parametrize(
    ("texts", "match"),
    [("", "text 1 of 1 is empty"), (EMPTY, "text 2 of 2 is empty"), (FOREIGN, "nothing of")],
)
def test_what_cannot_be_drawn(texts, match):
    with pytest.raises(RunError, match=match):
        drawn(texts)


def test_what_else_is_refused():
    with pytest.raises(RunError, match="0 pictures"):
        drawn("a red disc", 0)
    with pytest.raises(RunError, match="without captions"):
        pictures_of(Trained("images"), "a red disc")  # pyright: ignore


def test_pictures_of_captions_in_whole_blocks():
    tokens = torch.from_numpy(codec().encode(TEXTS * 20))
    whole = generate_captioned(Showing().eval(), tokens, seed=2)
    assert whole.shape == (80, 1, 4, 4)
    assert torch.equal(generate_captioned(Showing().eval(), tokens[:70], seed=2), whole[:70])
    assert torch.equal(whole[:, 0, 3, 0], tokens[:, 1].float() / 100)


class Held:
    """What was held out: a picture of each text."""

    def gather(self, index: np.ndarray) -> dict[str, Tensor]:
        tokens = torch.from_numpy(codec().encode(TEXTS))
        return {"real": torch.zeros(len(index), 1, 4, 4), "condition": tokens[torch.from_numpy(index)]}


def data(held=True):
    return SimpleNamespace(train=Held(), holdout=Held() if held else None, codec=CODEC, texts=codec())


def test_a_run_is_looked_at_through_captions_that_were_held_out(tmp_path, monkeypatch):
    calls = []

    def found(reader, pictures, tokens):
        calls.append(len(pictures))
        if len(calls) > 2:
            raise Undefined("too few")
        return SimpleNamespace(value=pictures.mean().item())

    monkeypatch.setattr("tenfold.watching.captions.r_precision", found)
    making = FromCaptions(data(), np.array([0, 1, 3]), object())  # pyright: ignore
    assert making.count == 3 and making.paired and making.reference == {"r_precision": 0.0}
    made = making.make(Showing().eval(), torch.device("cpu"))
    assert torch.equal(made[:, 0, 3, 0], making.asked[:, 1].float() / 100)
    said = making.beside(made, Showing(), torch.device("cpu"))
    assert said == {"r_precision": pytest.approx(made.mean().item())}
    assert making.beside(made, Showing(), torch.device("cpu")) == {}
    making.draw(Showing().eval(), tmp_path / "sheet.png", torch.device("cpu"), 0)
    assert Image.open(tmp_path / "sheet.png").width > 300
    assert FromCaptions(data(held=False), np.array([0])).reference == {}  # pyright: ignore


def test_the_reader_learns_in_a_tenth_of_the_time_at_most(tmp_path, monkeypatch, capsys):
    given, seen = [], []

    class Learnt:
        def save(self, path: Path) -> None:
            path.write_bytes(b"")
            path.with_suffix(".json").write_text("{}")

    def learn(of, seed, most_s=None, most=None):
        given.append(most_s)
        seen.append(most)
        return Learnt()

    loaded = SimpleNamespace(load=lambda path: path.name)
    monkeypatch.setattr("tenfold.watching.captions.reader_from", learn)
    monkeypatch.setattr("tenfold.watching.captions.CaptionReader", loaded)
    for budget_s in (600.0, None):
        assert reader_of(data(), tmp_path, budget_s, fresh=True) == "captions.safetensors"  # pyright: ignore
    assert given == [pytest.approx(60.0), None]
    reader_of(data(), tmp_path, 600.0)  # pyright: ignore
    assert len(given) == 2  # it is there
    assert capsys.readouterr().err == ""
    for kimg in (0.5, 20.0):
        reader_of(data(), tmp_path, kimg=kimg, fresh=True, quiet=False)  # pyright: ignore
    assert seen == [None, None, 4000, 20000]
    assert capsys.readouterr().err.count("learning to read captions, to judge by ...\n") == 2


def test_the_reader_sees_no_more_than_it_may(monkeypatch):
    monkeypatch.setattr("tenfold.watching.captions.CaptionedBatches", lambda *how: how)
    monkeypatch.setattr("tenfold.watching.captions.train_reader", lambda *data, **how: how["kimg"])
    some = SimpleNamespace(train=range(1000), spec=SimpleNamespace(text=codec().layout))
    assert [reader_from(some, 0, most=most) for most in (None, 4000, 10**6)] == [None, 4.0, 40.0]  # pyright: ignore


def test_captions_of_a_sheet_differ():
    tokens = torch.tensor([[4, 5], [4, 5], [6, 5], [7, 5]])
    assert different(tokens, 2).tolist() == [[4, 5], [6, 5]]
    assert shortened("short") == "short" and len(shortened("long " * 20)) <= 36


@pytest.fixture
def maker(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("scene_maker")


def test_a_tenth_of_the_scenes_is_never_seen(maker):
    seen, unseen = maker.split()
    assert len(seen) == 216 and len(unseen) == 24 and not {*seen} & {*unseen}


def test_a_caption_says_all_of_a_scene(maker):
    rng = np.random.default_rng(0)
    for scene in maker.combinations():
        said = maker.caption(scene, rng)
        assert scene.colour in said
        assert any(word in said for word in maker.SHAPES[scene.shape])
        assert any(word in said for word in maker.SIZES[scene.size])
        assert any(words in said for words in maker.PLACES[scene.place])


def test_a_picture_shows_its_scene(maker):
    rng = np.random.default_rng(0)
    for place, (x, y) in maker.CENTRES.items():
        for colour in ("red", "green", "blue"):
            drawn = maker.picture(maker.Scene("circle", colour, "large", place), rng)
            assert drawn.shape == (32, 32, 3)
            assert drawn[y, x].argmax() == ("red", "green", "blue").index(colour)
            assert drawn[y, x].max() > 120
    small, large = (
        (maker.picture(maker.Scene("square", "white", size, "middle"), rng).max(2) > 120).sum()
        for size in ("small", "large")
    )
    assert large > 2 * small


def test_scenes_are_the_same_for_the_same_seed(maker):
    seen, _ = maker.split()
    a, b = (maker.scenes(seen, 5, 3) for _ in range(2))
    assert a[0] == b[0] and np.array_equal(a[1], b[1]) and a[2] == b[2]
    assert maker.values_of(a[0])["shape"].tolist() == [list(maker.SHAPES).index(s.shape) for s in a[0]]
