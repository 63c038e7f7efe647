"""Results are measured again when, and only when, code that they depend on was changed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FILES = {
    "__init__.py": "",
    "fitting.py": "def fit():\n    from .inner import deep\n",
    "inner/__init__.py": "",
    "inner/deep.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..proving import prove\n",
    "proving.py": "def prove(): ...\n",
    "data.py": "",
}


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, for a package of a few files."""
    spec = importlib.util.spec_from_file_location("benchmark_record", BENCHMARKS / "record.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SOURCE", tmp_path)
    for name, text in FILES.items():
        (tmp_path / "tenfold" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tenfold" / name).write_text(text)
    return module


def needed(record: ModuleType, folder: Path, script: str) -> set[str]:
    (folder / "script.py").write_text(script)
    found = record.with_imports([folder / "script.py"])
    own = [path for path in found if path.name not in ("script.py", "__init__.py")]
    return {str(path.relative_to(folder / "tenfold")) for path in own}


def test_what_runs_is_followed_what_a_type_checker_reads_is_not(record: ModuleType, tmp_path: Path) -> None:
    assert needed(record, tmp_path, "import tenfold\ntenfold.fit()") == {"fitting.py", "inner/deep.py"}
    assert needed(record, tmp_path, "from tenfold import prove") == {"proving.py"}
    assert needed(record, tmp_path, "def f():\n    from tenfold.data import x") == {"data.py"}
    (tmp_path / "tenfold" / "inner" / "fit.py").write_text("")
    (tmp_path / "tenfold" / "inner" / "start.py").write_text("from . import fit\n")
    of_that_name = needed(record, tmp_path, "from tenfold.inner import start")
    assert of_that_name == {"inner/start.py", "inner/fit.py"}  # a module, and not the public function
    both = "import tenfold\nfrom tenfold import data\ntenfold.prove"
    assert needed(record, tmp_path, both) == {"data.py", "proving.py"}


def test_words_about_code_do_not_count_and_code_does(record: ModuleType, tmp_path: Path) -> None:
    script, deep = tmp_path / "script.py", tmp_path / "tenfold" / "inner" / "deep.py"
    script.write_text("from tenfold.fitting import fit\n")
    before = record.fingerprint([script])
    script.write_text('"""Fits."""\n\nfrom tenfold.fitting import fit  # the one command\n')
    assert record.fingerprint([script]) == before
    (tmp_path / "tenfold" / "proving.py").write_text("changed = 1\n")
    assert record.fingerprint([script]) == before
    deep.write_text(deep.read_text() + "rate = 2\n")
    assert record.fingerprint([script]) != before


@pytest.fixture
def results(record: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    (tmp_path / "script.py").write_text("from tenfold.fitting import fit\n")
    return tmp_path / "script.py"


def test_a_result_is_kept_while_nothing_changes(
    record: ModuleType, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert record.Record(results, "?").measure("a", lambda: 1) == 1
    assert record.Record(results, "?").measure("a", lambda: 2) == 1
    assert record.Record(results, "?").measure("a", lambda: 2, "another setting") == 2
    monkeypatch.setattr(record, "versions", lambda: {"torch": "another"})
    assert record.Record(results, "?").measure("a", lambda: 3, "another setting") == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    assert record.Record(results, "?").measure("a", lambda: 4, "another setting") == 4


def test_what_other_code_gave_is_in_no_table(record: ModuleType, results: Path) -> None:
    record.Record(results, "?").measure("a", lambda: 1)
    results.write_text(results.read_text() + "more = 1\n")
    assert record.Record(results, "?").content["items"] == {}


def test_code_that_changes_meanwhile_measures_nothing(record: ModuleType, results: Path) -> None:
    now = record.Record(results, "?")
    with pytest.raises(SystemExit, match="changed while it was measured"):
        now.measure("a", lambda: results.write_text("changed = 1\n"))
    assert now.content["items"] == {}
