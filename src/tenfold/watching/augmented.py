"""What the discriminator will see, before it sees anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ..augment import Augmentation
from ..data import Codec, Split
from ..draw import Draw, derive
from ..report.sheet import sheet

ROWS, CHANGED = 6, 7


def augmented_sheet(data: Split, augmentation: Augmentation, path: Path) -> None:
    """A row for each of some training pictures: as it is, then changed, each time in another way.

    Args:
        data: pictures.
        augmentation: is shown as strong as it may become.
        path: of the PNG.
    """
    chosen = np.sort(np.random.default_rng(derive(0, "augmented")).permutation(len(data))[:ROWS])
    real = data.gather(chosen)["real"]
    n = len(real) * CHANGED
    with torch.no_grad():
        changed = augmentation.strongest()(real.repeat_interleave(CHANGED, 0), Draw(0, slice(0, n), n))
    rows = torch.cat([real[:, None], changed.unflatten(0, (-1, CHANGED))], 1).flatten(0, 1)
    assert isinstance(data.codec, Codec)
    sheet(data.codec.preview(rows.clamp(-1, 1)), CHANGED + 1).save(path)
