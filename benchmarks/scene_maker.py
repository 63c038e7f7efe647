"""Scenes: one thing in a picture, of some shape, colour, size and place, and captions that say so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

SIDE, FINER = 32, 4  # pixels; times as many while drawing, which makes edges smooth
COLOURS = {
    "red": (215, 45, 40),
    "green": (50, 165, 65),
    "blue": (45, 90, 215),
    "yellow": (235, 205, 50),
    "purple": (150, 60, 180),
    "white": (240, 240, 240),
}
SHAPES = {
    "circle": ("circle", "disc"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "cross": ("cross", "plus"),
}
SIZES = {"small": ("small", "little", "tiny"), "large": ("large", "big", "huge")}
RADII = {"small": 3.5, "large": 6.5}
PLACES = {
    "left": ("on the left", "at the left edge", "to the left"),
    "right": ("on the right", "at the right edge", "to the right"),
    "top": ("at the top", "up high", "in the upper half"),
    "bottom": ("at the bottom", "down low", "in the lower half"),
    "middle": ("in the middle", "in the centre"),
}
CENTRES = {"left": (8, 16), "right": (24, 16), "top": (16, 8), "bottom": (16, 24), "middle": (16, 16)}
FRAMES = (
    "a {size} {colour} {shape} {place}",
    "{place} there is a {size} {colour} {shape}",
    "a {colour} {shape} {place}, it is {size}",
    "one {shape} {place}, {size} and {colour}",
    "there is a {size} {shape} {place} and it is {colour}",
    "{size}, {colour}, {place}: a {shape}",
)
UNSEEN = 0.1  # share of the combinations that nobody learns from
CHOSEN_BY = 11  # seed of the choice


@dataclass(frozen=True)
class Scene:
    """What a picture shows."""

    shape: str
    colour: str
    size: str
    place: str


ATTRIBUTES = {"shape": tuple(SHAPES), "colour": tuple(COLOURS), "size": tuple(SIZES), "place": tuple(PLACES)}
"""The values of each attribute."""


def combinations() -> list[Scene]:
    """All that can be shown: 240."""
    return [Scene(*values) for values in product(*ATTRIBUTES.values())]


def split() -> tuple[list[Scene], list[Scene]]:
    """Combinations that are learnt from, and those that are never seen; every value is among the former."""
    everything = combinations()
    order = np.random.default_rng(CHOSEN_BY).permutation(len(everything))
    many = round(UNSEEN * len(everything))
    unseen = {int(i) for i in order[:many]}
    seen = [scene for i, scene in enumerate(everything) if i not in unseen]
    assert all({getattr(s, name) for s in seen} == {*values} for name, values in ATTRIBUTES.items())
    return seen, [everything[i] for i in sorted(unseen)]


def caption(scene: Scene, rng: np.random.Generator) -> str:
    """One of many ways to say what is shown."""
    said = {
        "shape": pick(SHAPES[scene.shape], rng),
        "colour": scene.colour,
        "size": pick(SIZES[scene.size], rng),
        "place": pick(PLACES[scene.place], rng),
    }
    return pick(FRAMES, rng).format(**said)


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """One of them."""
    return options[int(rng.integers(len(options)))]


def picture(scene: Scene, rng: np.random.Generator) -> UInt8[np.ndarray, "32 32 3"]:
    """A drawing; place, size, colour and background vary a little."""
    ground = rng.integers(10, 60)
    colour = np.clip(np.array(COLOURS[scene.colour]) + rng.integers(-12, 13, 3), 0, 255)
    page = Image.new("RGB", (SIDE * FINER, SIDE * FINER), (int(ground),) * 3)
    x, y = (np.array(CENTRES[scene.place]) + rng.uniform(-1, 1, 2)) * FINER
    r = RADII[scene.size] * rng.uniform(0.92, 1.08) * FINER
    fill(ImageDraw.Draw(page), scene.shape, float(x), float(y), float(r), tuple(int(c) for c in colour))
    return np.asarray(page.resize((SIDE, SIDE), Image.Resampling.BOX))


def fill(draw: ImageDraw.ImageDraw, shape: str, x: float, y: float, r: float, ink: tuple[int, ...]) -> None:
    """Draws a filled shape around a centre."""
    match shape:
        case "circle":
            draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)
        case "square":
            s = 0.86 * r
            draw.rectangle((x - s, y - s, x + s, y + s), fill=ink)
        case "triangle":
            draw.polygon([(x, y - r), (x - r, y + 0.8 * r), (x + r, y + 0.8 * r)], fill=ink)
        case _:
            s = 0.33 * r
            draw.rectangle((x - r, y - s, x + r, y + s), fill=ink)
            draw.rectangle((x - s, y - r, x + s, y + r), fill=ink)


def scenes(of: Sequence[Scene], count: int, seed: int) -> tuple[list[Scene], np.ndarray, list[str]]:
    """So many scenes, combinations in turn, with a picture and a caption of each."""
    rng = np.random.default_rng(seed)
    chosen = [of[i % len(of)] for i in range(count)]
    drawn = np.stack([picture(scene, rng) for scene in chosen])
    return chosen, drawn, [caption(scene, rng) for scene in chosen]


def values_of(of: Sequence[Scene]) -> dict[str, np.ndarray]:
    """The number of each scene's value, by attribute."""
    return {
        name: np.array([values.index(getattr(scene, name)) for scene in of])
        for name, values in ATTRIBUTES.items()
    }


def write(folder: Path, pictures: np.ndarray, captions: Sequence[str]) -> Path:
    """A folder of pictures, and `metadata.jsonl` with their captions."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with (folder / "metadata.jsonl").open("w", encoding="utf-8") as listing:
        for i, (pixels, text) in enumerate(zip(pictures, captions, strict=True)):
            Image.fromarray(pixels).save(folder / f"{i:05d}.png")
            listing.write(json.dumps({"file_name": f"{i:05d}.png", "text": text}) + "\n")
    return folder
