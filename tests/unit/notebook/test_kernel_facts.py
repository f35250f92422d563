"""What the doctor says of the kernel's side."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from reactor_nb.notebook.kernel_facts import kernel_lines


class ipykernel_of_now:
    _supports_kernel_subshells = True


class ipykernel_of_then:
    """Knows of no subshells."""


def extension(kernel: Any, is_with_cells: bool | None) -> Any:
    panels = SimpleNamespace(hearing=SimpleNamespace(is_with_cells=is_with_cells))
    return SimpleNamespace(shell=SimpleNamespace(kernel=kernel), panels=panels)


@pytest.mark.parametrize(
    ("kernel", "is_with_cells", "verdict", "told"),
    [
        (ipykernel_of_now(), None, "ok", "subshells: yes; no page has spoken yet"),
        (ipykernel_of_now(), False, "ok", "subshells: yes; pages speak on one, and are heard while a cell runs"),
        (ipykernel_of_now(), True, "note", "subshells: yes; this front end uses none"),
        (ipykernel_of_then(), True, "note", "subshells: no; pages are heard between cells only"),
    ],
)
def test_it_is_told_when_pages_are_heard(kernel: Any, is_with_cells: bool | None, verdict: str, told: str) -> None:
    ((part, found, text),) = kernel_lines(extension(kernel, is_with_cells))
    assert (part, found) == ("kernel", verdict)
    assert told in text


def test_a_console_draws_no_view() -> None:
    ((_, verdict, text),) = kernel_lines(SimpleNamespace(shell=SimpleNamespace(), panels=None))  # type: ignore[arg-type]
    assert verdict == "note"
    assert "this console draws no View" in text
