"""Fill the tables of README and docs between their markers: recipes from the registry, results from JSON.

`<!-- recipes -->` to `<!-- /recipes -->` holds a row per recipe.
`<!-- results: NAME -->` to `<!-- /results -->` holds the first line of `NAME.py`, the table in the
summary of `results/NAME.json`: its key `table` has `columns`, a list of titles, and `rows`, a list of lists;
and the commits that it was measured at.
What has not been measured, or was measured when another question was asked, leaves no trace.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
PAGES = (HERE.parent / "README.md", *sorted(HERE.parent.glob("docs/*.md")))


def fill(text: str) -> str:
    """The text with every table written anew."""
    text = re.sub(
        r"(<!-- recipes -->\n).*?(<!-- /recipes -->)", lambda m: m[1] + recipes() + m[2], text, flags=re.S
    )
    return re.sub(
        r"(<!-- results: ([\w-]+) -->\n).*?(<!-- /results -->)",
        lambda m: m[1] + measured(m[2]) + m[3],
        text,
        flags=re.S,
    )


def recipes() -> str:
    """Name, year, use and paper of every recipe."""
    import tenfold.recipes  # noqa: F401  (registers them)
    from tenfold.recipe import RECIPES

    listed = sorted(RECIPES.items(), key=lambda item: (item[1].about.year, item[0]))
    rows = [
        [f"`{name}`", cls.about.year, cls.about.use, f"[{cls.about.authors}]({cls.about.url})"]
        for name, cls in listed
    ]
    return table(["recipe", "year", "good for", "paper"], rows)


def measured(name: str) -> str:
    """Question and table of a measurement; nothing if there is none yet, or another was asked."""
    path = HERE / "results" / f"{name}.json"
    record = json.loads(path.read_text()) if path.is_file() else {}
    if "summary" not in record:
        return ""
    script = ast.parse((HERE / f"{name}.py").read_text())
    if record["question"] != question(script):
        return ""
    found = record["summary"]["table"]
    about = ast.get_docstring(script) or name
    commits = sorted({item["commit"][:9] for item in record["items"].values()})
    said = f"Measured at {', '.join(commits)}."
    return f"\n{about.splitlines()[0]}\n\n{table(found['columns'], found['rows'])}\n{said}\n\n"


def question(script: ast.Module) -> str:
    """What a benchmark asks, as its file has it."""
    for node in script.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "QUESTION":
            return str(ast.literal_eval(node.value))
    return ""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")
