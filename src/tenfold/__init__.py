"""tenfold: train a GAN on little data, make more labelled data of it, and find out whether it helps."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .checking import check
    from .enlarging import enlarge
    from .evaluating import evaluate
    from .fitting import fit, resume
    from .options import Options
    from .proof.options import ProofOptions
    from .proving import Proof, prove
    from .run import Run, load
    from .tables.resampling import GANSampler as GANSampler

PUBLIC = {
    "check": "checking",
    "enlarge": "enlarging",
    "evaluate": "evaluating",
    "fit": "fitting",
    "GANSampler": "tables.resampling",
    "load": "run",
    "Options": "options",
    "Proof": "proving",
    "ProofOptions": "proof.options",
    "prove": "proving",
    "resume": "fitting",
    "Run": "run",
}

__all__ = [
    "Options",
    "Proof",
    "ProofOptions",
    "Run",
    "check",
    "enlarge",
    "evaluate",
    "fit",
    "load",
    "prove",
    "resume",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name when it is first used: `import tenfold` alone costs nothing."""
    if name not in PUBLIC:
        raise AttributeError(f"module 'tenfold' has no attribute {name!r}")
    return getattr(import_module(f".{PUBLIC[name]}", __name__), name)
