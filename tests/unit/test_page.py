from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tenfold.report.page import badge, figure, page, picture, points, section, table, text, warning

TRAP = "<script>alert(\"1\")</script> & 'x'"


class Balance(HTMLParser):
    """Follows the tags: `depth` is zero if each is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def everything(words: str) -> str:
    drawn = Figure(figsize=(1, 1))
    drawn.add_subplot().plot([0, 1])
    grey = np.zeros((2, 2, 1), np.uint8)
    parts = [
        text(words),
        points([words]),
        badge(words, "good"),
        warning(words),
        table([words], [[words]], words, strong=0),
        figure(drawn, words),
        picture(grey, words),
    ]
    return page(words, [section(words, parts)])


def test_all_words_are_escaped_and_all_tags_closed():
    html, reader = everything(TRAP), Balance()
    reader.feed(html)
    assert not reader.open
    assert "<script" not in html and '"1"' not in html
    assert reader.words.count(TRAP) == 12


def test_a_page_needs_nothing_else():
    html = everything("so")
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="([^"]*)"', html))
    assert not re.search(r"https?:|<link|<script|@import|url\(", html)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_keeps_its_pixels(channels: int):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    html = picture(pixels, "", scale=3)
    (data,) = re.findall(r"base64,([^\"]*)", html)
    seen = np.asarray(Image.open(BytesIO(base64.b64decode(data))))
    assert (seen.reshape(pixels.shape) == pixels).all()
    assert 'width="21"' in html


def test_the_strong_row_is_the_one_asked_for():
    html = table(["name", "value"], [["a", "1"], ["b", "2"]], strong=1)
    assert '<tr class="strong"><td>b</td>' in html and "<tr><td>a</td>" in html
