"""A link, and pages that are closed after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from reactor_nb.transport.thread_link import ThreadLink
from tests.loopback.page import Page
from tests.support import barcode

OpenPage = Callable[..., Page]


@pytest.fixture
def link() -> Iterator[ThreadLink]:
    link = ThreadLink()
    yield link
    link.close()


@pytest.fixture
def open_page(link: ThreadLink) -> Iterator[OpenPage]:
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
