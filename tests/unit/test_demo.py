"""The demonstration removes what an earlier one left, and nothing of anybody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenfold import demo


@pytest.mark.parametrize("files", [["thesis.tex"], ["run/run.json"], ["result.json"], ["learn.npz"]])
def test_a_folder_of_somebody_else_is_left_alone(
    tmp_path: Path, files: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "halves", lambda _: pytest.fail("it began"))
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    assert demo.main(str(tmp_path)) == 2
    assert "no earlier demonstration. Name another folder" in capsys.readouterr().err
    assert all((tmp_path / name).read_text() == "mine" for name in files)


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert demo.main(str(tmp_path / "notes.txt")) == 2
    assert "is a file" in capsys.readouterr().err


def test_an_earlier_demonstration_makes_room(tmp_path: Path) -> None:
    demo.clear(tmp_path / "new")
    demo.halves(tmp_path / "new")
    (tmp_path / "new" / "run").mkdir()
    (tmp_path / "new" / "run" / "run.json").write_text("{}")
    (tmp_path / "new" / "notes.txt").write_text("mine")
    demo.clear(tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["notes.txt"]
