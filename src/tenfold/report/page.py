"""Web pages that hold everything themselves: one file to open, print or send."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Literal, NewType

import numpy as np
from jaxtyping import UInt8

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Html = NewType("Html", str)
"""Markup, ready to stand in a page; the functions below make it from plain words, which they escape."""

Tone = Literal["good", "bad", "neutral"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2329; --pale: #5b6670; --paper: #fff; --card: #f4f6f8;
  --line: #d9dee3; --good: #0b6e4f; --bad: #a8231c; --neutral: #4a5560; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --pale: #a3adb6; --paper: #15191d;
  --card: #1f252b; --line: #38414a; --good: #1b8a64; --bad: #c2453d; --neutral: #5f6b77; } }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .6rem; padding-bottom: .25rem;
  border-bottom: 1px solid var(--line); }
p, ul { max-width: 44rem; margin: .5rem 0; }
ul { padding-left: 1.3rem; }
.badge { display: inline-block; padding: .2rem .8rem; border-radius: 1rem; color: #fff; font-weight: 600; }
.good { background: var(--good); } .bad { background: var(--bad); } .neutral { background: var(--neutral); }
.warning { border-left: .35rem solid var(--bad); background: var(--card); padding: .6rem 1rem;
  font-weight: 600; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--pale); padding-bottom: .3rem; }
th, td { padding: .3rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--pale); font-weight: 600; vertical-align: bottom; }
tr.strong td { font-weight: 700; }
table.words td { text-align: left; white-space: normal; }
table.words th { text-align: left; }
figure { margin: 1rem 0; }
figure img { max-width: 100%; height: auto; background: #fff; border-radius: .4rem; }
figure img.pixels { image-rendering: pixelated; background: none; }
figcaption { color: var(--pale); font-size: .9rem; max-width: 44rem; }
@media print { body { max-width: none; font-size: 11pt; } figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; } .scroll { overflow: visible; } 
  .badge { border: 1px solid; color: inherit; background: none; } }
"""


def page(title: str, sections: Iterable[Html]) -> str:
    """A whole page. It loads nothing, runs no script, follows the reader's light or dark setting, and prints.

    Args:
        title: its name and first heading.
        sections: what stands in it, in order.

    Example:
        >>> page("a < b", [text("so")]).count("a &lt; b")
        2
    """
    name = escape(title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n"
        + "\n".join(sections)
        + "\n</body>\n</html>\n"
    )


def section(heading: str, parts: Iterable[Html]) -> Html:
    """Parts below a heading."""
    return Html(f"<section>\n<h2>{escape(heading)}</h2>\n" + "\n".join(parts) + "\n</section>")


def text(words: str) -> Html:
    """A paragraph."""
    return Html(f"<p>{escape(words)}</p>")


def points(lines: Iterable[str]) -> Html:
    """A list of sentences."""
    return Html("<ul>\n" + "\n".join(f"<li>{escape(line)}</li>" for line in lines) + "\n</ul>")


def badge(words: str, tone: Tone) -> Html:
    """A verdict in a word or two; its tone is its colour, never its only message."""
    return Html(f'<p><span class="badge {tone}">{escape(words)}</span></p>')


def warning(words: str) -> Html:
    """Something nobody should overlook."""
    return Html(f'<p class="warning" role="alert">{escape(words)}</p>')


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str = "",
    *,
    strong: int | None = None,
    words: bool = False,
) -> Html:
    """A table, which scrolls by itself where the page is narrow.

    Args:
        head: names of the columns.
        rows: cells as they are read; format numbers before.
        caption: above it; none if empty.
        strong: number of the row that stands out.
        words: whether cells hold sentences rather than numbers.
    """
    body = "\n".join(
        ('<tr class="strong">' if i == strong else "<tr>")
        + "".join(f"<td>{escape(c)}</td>" for c in row)
        + "</tr>"
        for i, row in enumerate(rows)
    )
    above = f"<caption>{escape(caption)}</caption>\n" if caption else ""
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    kind = ' class="words"' if words else ""
    return Html(
        f'<div class="scroll"><table{kind}>\n{above}<thead><tr>{columns}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def figure(drawn: Figure, caption: str) -> Html:
    """A figure of matplotlib with words below, which also stand for it where it cannot be seen."""
    stream = BytesIO()
    drawn.savefig(stream, format="png", dpi=144)
    width = round(drawn.get_figwidth() * 72)
    return _image(stream.getvalue(), caption, f'width="{width}"')


def picture(pixels: UInt8[np.ndarray, "h w c"], caption: str, scale: int = 1) -> Html:
    """A picture, or a sheet of many, with words below.

    Args:
        pixels: grey, RGB or RGBA.
        caption: below it.
        scale: whole factor by which it is shown larger.
    """
    from PIL import Image

    stream = BytesIO()
    plain = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    Image.fromarray(plain).save(stream, format="png", optimize=True)
    return _image(stream.getvalue(), caption, f'class="pixels" width="{pixels.shape[1] * scale}"')


def _image(png: bytes, caption: str, attributes: str) -> Html:
    data, words = base64.b64encode(png).decode(), escape(caption)
    return Html(
        f'<figure><img {attributes} alt="{words}" src="data:image/png;base64,{data}">'
        f"<figcaption>{words}</figcaption></figure>"
    )
