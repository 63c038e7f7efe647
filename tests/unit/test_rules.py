"""The house rules that can be read off the source; ruff holds docstrings, annotations and bare except."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tenfold"
FILES = sorted(SOURCE.rglob("*.py"))
TOP = {
    *("recipe", "recipes", "plan", "probe", "training", "fitting", "run", "samples", "enlarging", "watching"),
    *(
        "filters",
        "filtering",
        "rejection",
        "material",
        "evaluating",
        "evaluation",
        "proof",
        "proving",
        "report",
    ),
    *("settings", "transfer", "guessing", "explore", "exploring", "translating", "pacing", "demo", "cli"),
    *("budget", "tables", "words", "opening", "options", "records", "judging"),
}
FORBIDDEN = {
    **dict.fromkeys(
        ["objectives", "penalties", "conditioning", "augment", "metrics", "data"], TOP | {"engine"}
    ),
    "nn": TOP | {"games", "engine", "data", "objectives", "penalties"},
    "games": TOP | {"engine"},
    "recipe": TOP - {"recipe", "recipes"},
    "recipes": TOP - {"recipe", "recipes", "settings"} | {"engine"},
    "settings": TOP - {"recipe"} | {"engine"},
}
ENGINE_KNOWS = {"game", "adaptive", "draw", "errors", "engine"}
READS = "metrics.weights"  # the one file that may read other people's weights, tensors only
VAGUE = {"utils", "misc", "common", "helpers"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """Dotted name below `tenfold`."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> list[Function]:
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, Function)]


def imports(path: Path) -> set[str]:
    """Dotted names of everything a file imports; of its own package relative to `tenfold`."""
    package = ["tenfold", *path.relative_to(SOURCE).parent.parts]
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def own_imports(path: Path) -> set[str]:
    """First parts of the names below `tenfold` that a file imports."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("tenfold.")}


each_file = pytest.mark.parametrize("path", FILES, ids=name_of)


@each_file
def test_small_enough_to_read(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    long = [f"{f.name}: {f.end_lineno - f.lineno + 1} lines" for f in functions(path) if length(f) > 40]
    assert lines <= 400, f"{name_of(path)} has {lines} lines"
    assert not long


def length(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


@each_file
def test_signatures(path: Path) -> None:
    for function in functions(path):
        given = function.args
        names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        assert len([n for n in names if n not in ("self", "cls")]) <= 8, f"{function.name} has too many"
        assert given.kwarg is None, f"{function.name} takes **{given.kwarg and given.kwarg.arg}"


@each_file
def test_no_pickled_code(path: Path) -> None:
    assert not imports(path) & {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    called = {ast.unparse(n.func) for n in ast.walk(tree_of(path)) if isinstance(n, ast.Call)}
    assert not called & {"torch.load", "torch.save"} - ({"torch.load"} if name_of(path) == READS else set())
    assert all(
        any(
            k.arg == "weights_only" and isinstance(k.value, ast.Constant) and k.value.value is True
            for k in n.keywords
        )
        for n in ast.walk(tree_of(path))
        if isinstance(n, ast.Call) and ast.unparse(n.func) == "torch.load"
    )
    assert not any(
        k.arg == "allow_pickle"
        for n in ast.walk(tree_of(path))
        if isinstance(n, ast.Call)
        for k in n.keywords
        if not (isinstance(k.value, ast.Constant) and k.value.value is False)
    )


@each_file
def test_layers_point_one_way(path: Path) -> None:
    layer, known = name_of(path).split(".")[0], own_imports(path)
    assert not known & FORBIDDEN.get(layer, set())
    if layer == "engine":
        assert known <= ENGINE_KNOWS
    if layer not in ("cli", "__main__"):
        assert "cli" not in known
    if layer == "nn" and not name_of(path).startswith("nn.networks"):
        assert "conditioning" not in known


def test_no_module_is_called_vaguely() -> None:
    assert not [name_of(path) for path in FILES if VAGUE & set(name_of(path).split("."))]


def test_classes_are_abstract_or_final() -> None:
    """No class derives from a concrete one of ours; exceptions are caught by their base, and so may."""
    classes = {n.name: n for path in FILES for n in ast.walk(tree_of(path)) if isinstance(n, ast.ClassDef)}
    bases = {
        name: [re.split(r"[\[.]", ast.unparse(b).split("[")[0])[-1] for b in c.bases]
        for name, c in classes.items()
    }

    def is_exception(name: str) -> bool:
        return name.endswith(("Error", "Exception")) or any(map(is_exception, bases.get(name, [])))

    abstract = {name for name, above in bases.items() if {"ABC", "Protocol"} & set(above)}
    wrong = {
        f"{name}({base})"
        for name, above in bases.items()
        for base in above
        if base in classes and base not in abstract and not is_exception(name)
    }
    assert not wrong


def test_the_engine_names_no_recipe_and_no_game() -> None:
    named = [p.stem for folder in ("recipes", "games") for p in (SOURCE / folder).glob("[!_]*.py")]
    named += [
        n.name
        for p in (SOURCE / "games").glob("*.py")
        for n in tree_of(p).body
        if isinstance(n, ast.ClassDef)
    ]
    pattern = re.compile(rf"\b({'|'.join(named)})\b", re.IGNORECASE)
    found = {name_of(p): pattern.findall(code_of(p)) for p in FILES if name_of(p).startswith("engine.")}
    assert named
    assert not {name: words for name, words in found.items() if words}


def code_of(path: Path) -> str:
    """The source without its docstrings, whose examples play a game."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    return ast.unparse(tree)


def test_every_recipe_is_listed() -> None:
    files = {path.stem for path in (SOURCE / "recipes").glob("[!_]*.py")}
    listed = {
        name.split(".")[2] for name in imports(SOURCE / "recipes" / "__init__.py") if name.count(".") == 2
    }
    assert files == listed


@pytest.mark.parametrize("module", ["tenfold", "tenfold.cli.__main__"])
def test_importing_is_light(module: str) -> None:
    code = f"import {module}, sys; print(sorted({{'torch', 'pydantic', 'numpy', 'rich'}} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
