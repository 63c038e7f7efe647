"""What the README says can be done, can be done; what it says there is, there is."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from tenfold.cli.__main__ import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.S | re.M)


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_BUDGET", "1s")


@pytest.mark.usefixtures("_short", "two_looks", "worded")
def test_the_commands_run(cats: Path) -> None:
    lines = [shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()]
    for line in lines:
        if line[:2] == ["python", "-c"]:
            exec(compile(line[2], "README.md", "exec"), {})
    commands = [line[1:] for line in lines if line and line[0] == "tenfold"]
    named = {"check", "fit", "sample", "enlarge", "evaluate", "explore", "prove", "translate", "recipes"}
    assert {command[0] for command in commands} == named
    for command in commands:
        try:
            code = main(command)
        except SystemExit as left:  # --help
            code = left.code
        assert code == 0, command
    assert len(list((cats.parent / "more-cats").rglob("*.png"))) == 1000
    assert (cats.parent / "tabby.png").is_file()
    assert (cats.parent / "more-reviews.csv").read_text().startswith('"review","kind"\n')
    assert len((cats.parent / "out.txt").read_text().splitlines()) == 2


@pytest.mark.usefixtures("_short")
def test_the_python_runs(cats: Path) -> None:
    (block,) = blocks("python")
    exec(compile(block, "README.md", "exec"), {})
    assert len(list((cats.parent / "more-cats-2").rglob("*.png"))) == 64


def test_the_tables_are_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "benchmarks" / "readme.py"))
    fill = script["fill"]
    texts = [page.read_text(encoding="utf-8") for page in script["PAGES"]]
    assert len(texts) > 1 and README in texts
    assert [fill(text) for text in texts] == texts
    assert "| `dcgan` |" in README
    assert fill("<!-- recipes -->\nold\n<!-- /recipes -->") != "<!-- recipes -->\nold\n<!-- /recipes -->"


def test_what_is_not_measured_has_no_table() -> None:
    fill = runpy.run_path(str(ROOT / "benchmarks" / "readme.py"))["fill"]
    assert (
        fill("<!-- results: never -->\nold\n<!-- /results -->")
        == "<!-- results: never -->\n<!-- /results -->"
    )


def test_what_was_asked_otherwise_has_no_table() -> None:
    measured = runpy.run_path(str(ROOT / "benchmarks" / "readme.py"))["measured"]
    assert "| figure |" in measured("demo")
    measured.__globals__["question"] = lambda script: "another"
    assert measured("demo") == ""


def test_the_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def test_the_make_targets_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert set(re.findall(r"make (demo|test|check|bench)\b", README)) <= set(targets)
