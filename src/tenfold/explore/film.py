"""Frames to a film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from ..errors import MissingExtra, RunError

SMALLEST = 256  # pixels of the longer side to which small frames are enlarged, by whole factors
SUFFIXES = (".gif", ".mp4")


def refuse_other_film(path: str | Path) -> None:
    """Raises a RunError if a file's suffix is not that of a film."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise RunError(f"{path} does not end like a film; {' or '.join(SUFFIXES)} were expected.")


def film(frames: UInt8[np.ndarray, "n h w c"], path: str | Path, fps: int = 20) -> Path:
    """Write frames as GIF, or as MP4 with the extra [video].

    Raises:
        RunError: the suffix is another.
        MissingExtra: MP4 needs an optional part.
    """
    refuse_other_film(path)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    factor = max(1, SMALLEST // max(frames.shape[1:3]))
    large = in_colour(frames).repeat(factor, axis=1).repeat(factor, axis=2)
    if path.suffix.lower() == ".gif":
        _write_gif(large, path, fps)
    else:
        _write_mp4(large, path, fps)
    return path


def in_colour(frames: UInt8[np.ndarray, "n h w c"]) -> UInt8[np.ndarray, "n h w 3"]:
    """Three channels, what is transparent on white."""
    channels = frames.shape[3]
    colour = frames[..., : 3 if channels > 2 else 1].repeat(1 if channels > 2 else 3, axis=3)
    if channels not in (2, 4):
        return colour
    alpha = frames[..., -1:] / 255
    return np.rint(colour * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _write_gif(frames: np.ndarray, path: Path, fps: int) -> None:
    from PIL import Image

    first, *rest = [Image.fromarray(frame) for frame in frames]
    first.save(path, save_all=True, append_images=rest, duration=round(1000 / fps), loop=0)


def _write_mp4(frames: np.ndarray, path: Path, fps: int) -> None:
    try:
        import av
    except ImportError as error:
        raise MissingExtra("Writing MP4", "video") from error
    _, height, width, _ = frames.shape
    even = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.height, stream.width, stream.pix_fmt = even.shape[1], even.shape[2], "yuv420p"
        for frame in even:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
