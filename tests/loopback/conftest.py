"""A link of either kind, and pages that are closed after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.media.link import MediaLink
from reactor_nb.transport.process.link import ProcessLink
from reactor_nb.transport.process.spawn import MediaProcess
from reactor_nb.transport.thread_link import ThreadLink
from tests.loopback import patches
from tests.loopback.page import Page
from tests.support import barcode
from tests.support.eventually import eventually

OpenPage = Callable[..., Page]


_PATCHED = Path(patches.__file__)


@pytest.fixture
def patch(request: pytest.FixtureRequest) -> str:
    """Which of patches.py is in force where the media runs: parametrize it, indirect, to change it."""
    return str(getattr(request, "param", "none"))


@pytest.fixture(params=["threads", "process"])
def link(request: pytest.FixtureRequest, patch: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaLink]:
    """The media on threads, and in a process of its own: one suite for both."""
    link: MediaLink
    if request.param == "threads":
        patches.PATCHES[patch](monkeypatch.setattr)
        link = ThreadLink()
    else:
        link = ProcessLink(make=MediaProcess if patch == "none" else lambda: MediaProcess(_PATCHED, patch))
        eventually(lambda: link.where()["pid"] > 0, timeout_s=5)
    yield link
    link.close()


@pytest.fixture
def open_page(link: MediaLink) -> Iterator[OpenPage]:
    pages: list[Page] = []

    def open_page(name: str = "plasma", **options: object) -> Page:
        page = Page(link, name, **options)  # type: ignore[arg-type]
        pages.append(page)
        return page.connect()

    yield open_page
    for page in pages:
        page.close()


def picture(number: int, width_px: int = 320, height_px: int = 240) -> NDArray[np.uint8]:
    """Quiet colours with a painted number."""
    pixels = np.full((height_px, width_px, 3), (70, 110, 150), np.uint8)
    barcode.paint(pixels, number)
    return pixels
