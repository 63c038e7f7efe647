"""Icons of what is said: OpenMoji's coloured icons with their captions, and a sheet."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from icons import folder, names, side
from record import Record, arguments, child, entry
from tenfold.metrics.captions import kernel_distance_of_pairs
from tenfold.metrics.features import features_named

QUESTION = """1,527 coloured icons of 64 px by OpenMoji (CC BY-SA 4.0) with their captions: dfgan, preset
small, batches of 16, adaptive augmentation that turns and recolours nothing, 15 minutes. A sheet of captions
of these icons and of captions that none of them has; R-precision on the hold-out (1 of 10) beside that of
real icons; kernel distance of icons made for the captions of 191 test icons to these, pairs of different
captions, in features of EfficientNet-Lite0."""
SEED, SHOWN, MOST, BATCH = 0, 8, 1000, 16
KNOWN = ("cat with tears of joy", "red apple", "full moon", "orange flag", "smiling face", "soccer ball")
OTHERS = ("black cat", "blue heart", "red moon", "green flag", "surprised face", "blue ball")
CREDIT = (
    "Learnt from icons by OpenMoji (openmoji.org), the open-source emoji and icon project. CC BY-SA 4.0, as "
    "is this sheet."
)
LEFT_OUT = ("mirror", "quarter_turns", "rotation", "inversion", "hue", "saturation")


def main() -> None:
    """Train, draw, judge."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="15m", help="of the run (15m)")
    given = parser.parse_args()
    also = [Path(__file__).with_name("icons.py")]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=also)
    budget = "20s" if given.quick else given.budget
    record.measure("dfgan", lambda: one(budget, record.folder), budget)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def captions(split: str) -> dict[str, str]:
    """The caption of each icon, by its name."""
    lines = (folder(split, "colour").parent / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {Path(row["file_name"]).stem: row["text"] for row in rows}


def data(root: Path) -> Path:
    """The coloured training icons with their captions, as one folder."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(folder("train", "colour"), root)
    with (root / "metadata.jsonl").open("w", encoding="utf-8") as listing:
        for name, text in captions("train").items():
            listing.write(json.dumps({"file_name": f"{name}.png", "text": text}) + "\n")
    return root


def one(budget: str, sheets: Path) -> dict[str, Any]:
    """Train in a process of its own, draw, and judge."""
    from tenfold.material import reopened
    from tenfold.run import load
    from tenfold.watching.captions import generate_captioned
    from tenfold.words.captions_evaluating import independent_reader, of_captions
    from tenfold.words.drawing import pictures_of

    out = Path(tempfile.gettempdir()) / "tenfold-icon-words"
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, budget, str(out))
    run, said = load(out), captions("test")
    tokens = torch.from_numpy(run.texts.encode([said[name] for name in names("test")]))
    made = generate_captioned(run.sampler, tokens, SEED + 1)
    pixels = run.codec.preview(made)[..., :3].astype(np.float32) / 255
    apart, error = distance(side("test", "colour"), pixels)
    (sheets / "sheets").mkdir(exist_ok=True)
    drawn = pictures_of(run, [*KNOWN, *OTHERS], SHOWN)
    credited(drawn.picture(), CREDIT).save(sheets / "sheets" / "icon-words.png")
    dataset = reopened(run)
    found = of_captions(run, dataset, independent_reader(dataset), MOST, SEED).more["r_precision"]
    return {
        "r_precision": found.value,
        "r_precision_of_real": found.reference,
        "kernel_distance": apart,
        "error": error,
        "notes": list(drawn.notes),
        "seen": run.facts["seen"],
        "training_s": run.facts["seconds"],
    }


def distance(real: np.ndarray, made: np.ndarray) -> tuple[float, float]:
    """Kernel distance of icons of the same captions, number by number, and its error."""
    network = features_named("efficientnet-lite0")
    rows = [network(torch.from_numpy(x).permute(0, 3, 1, 2) * 2 - 1) for x in (real, made)]
    found = kernel_distance_of_pairs(rows[0], rows[1])
    return round(found.value, 4), round(found.error, 4)


def credited(page: Image.Image, words: str) -> Image.Image:
    """The sheet with a line below that says whose pictures it was learnt from."""
    font = ImageFont.load_default(size=11)
    lines = wrapped(words, page.width - 16, font)
    whole = Image.new("RGB", (page.width, page.height + 16 * len(lines) + 8), (236, 236, 236))
    whole.paste(page, (0, 0))
    draw = ImageDraw.Draw(whole)
    for row, line in enumerate(lines):
        draw.text((8, page.height + 4 + 16 * row), line, fill=(64, 64, 64), font=font)
    return whole


def wrapped(words: str, width: int, font: Any) -> Sequence[str]:
    """Words in lines that are no wider."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def train(budget: str, out: str) -> None:
    """One run."""
    import tenfold
    from tenfold.recipe import make_recipe

    recipe = make_recipe("dfgan", {"augment": "ada", "without": LEFT_OUT, "batch": BATCH}, "small")
    source = data(Path(out).with_suffix(".data"))
    options = tenfold.Options(quiet=True)
    tenfold.fit(str(source), recipe, budget=budget, out=out, seed=SEED, options=options)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    return [
        {
            "recipe": key,
            "R-precision": "" if result["r_precision"] is None else round(result["r_precision"], 2),
            "of real": "" if result["r_precision"] is None else round(result["r_precision_of_real"], 2),
            "kernel distance": f"{result['kernel_distance']:.3f} ± {result['error']:.3f}",
            "minutes": round(result["training_s"] / 60, 1),
            "samples seen": result["seen"],
        }
        for key, result in found.items()
    ]


if __name__ == "__main__":
    entry(main, train)
