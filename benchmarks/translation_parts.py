"""What parts of a translation are worth: cyclegan's way back and its noise, pix2pix's feature matching."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from icons import feature_distance, folder, hue_distance, l1, side, stroke_f1, translated
from record import Record, arguments, child, entry
from unpaired_icons import halves

QUESTION = """openmoji's icons at 64 px (CC-BY-SA 4.0), preset small, 8 minutes of each: cyclegan as it is,
without its cycle (and identity), and without noise before the way back; pix2pix as it is and with feature
matching. Distances to the 191 test icons. Does each part lower the kernel distance? (What discriminators are
worth is measured by outline_to_colour.py and superres.py.)"""
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "cyclegan": ("cyclegan", {}),
    "cyclegan without cycle": ("cyclegan", {"cycle": 0.0, "identity": 0.0}),
    "cyclegan without noise": ("cyclegan", {"noise": 0.0}),
    "pix2pix": ("pix2pix", {}),
    "pix2pix with feature matching": ("pix2pix", {"matching": 10.0}),
}
SEED = 0


def main() -> None:
    """Train every case, and judge it both ways if it goes both."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--budget", default="8m", help="of each run (8m)")
    given = parser.parse_args()
    here = Path(__file__)
    files = [here.with_name(name) for name in ("icons.py", "unpaired_icons.py")]
    record = Record(__file__, QUESTION, seeds=[SEED], quick=given.quick, also=files)
    budget = "10s" if given.quick else given.budget
    for case in CASES:
        record.measure(case, lambda c=case: one(c, budget), budget)
    record.conclude(rows({key: item["result"] for key, item in record.content["items"].items()}))


def one(case: str, budget: str) -> dict[str, Any]:
    """Train in a process of its own, translate the test icons, judge."""
    out = Path(tempfile.gettempdir()) / "tenfold-parts" / case.replace(" ", "-")
    shutil.rmtree(out, ignore_errors=True)
    child(__file__, case, budget, str(out))
    found: dict[str, Any] = {}
    ways = {"colour": "outline"} | ({"outline": "colour"} if CASES[case][0] == "cyclegan" else {})
    for made_of, given in ways.items():
        made = translated(out, folder("test", given), out / f"to-{made_of}", to=made_of)
        true = side("test", made_of)
        distance, error = feature_distance(made, true)
        found[made_of] = {"l1": round(l1(made, true), 4), "kernel_distance": distance, "error": error}
        name, measure = ("hue", hue_distance) if made_of == "colour" else ("f1", stroke_f1)
        found[made_of][name] = round(measure(made, true), 3)
    return found


def train(case: str, budget: str, out: str) -> None:
    """One run."""
    import tenfold
    from tenfold.recipe import make_recipe

    name, changes = CASES[case]
    options = tenfold.Options(quiet=True, side="outline", to="colour")
    paired = name == "pix2pix"
    source = folder("train", "outline").parent if paired else halves(Path(out).with_suffix(".data"))
    recipe = make_recipe(name, changes, "small")
    tenfold.fit(str(source), recipe, budget=budget, out=out, seed=SEED, options=options)


def rows(found: dict[str, Any]) -> list[dict[str, object]]:
    """The table."""
    return [
        {
            "case": case,
            "way": f"to {made_of}",
            "L1": numbers["l1"],
            "kernel distance": f"{numbers['kernel_distance']:.3f} ± {numbers['error']:.3f}",
            "hue distance": numbers.get("hue", ""),
            "F1 of strokes": numbers.get("f1", ""),
        }
        for case, result in found.items()
        for made_of, numbers in result.items()
    ]


if __name__ == "__main__":
    entry(main, train)
