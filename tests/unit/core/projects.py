"""Folders of projects for the tests of discovery and of the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def python_as_before(tmp_path: Path) -> Iterator[None]:
    """What was imported from the test's folder, and where it was looked for, is taken back.

    For every test that imports this name.
    """
    path = list(sys.path)
    yield
    for name, module in list(sys.modules.items()):
        # Not getattr: some modules answer to any name (torch.classes does).
        own = vars(module)
        places = [own.get("__file__"), *(own.get("__path__") or ())]
        if any(place and Path(place).is_relative_to(tmp_path) for place in places):
            del sys.modules[name]
    sys.path[:] = path


def model_text(name: str, class_name: str = "Made", *, package: str = "reactor_nb") -> str:
    """A file with one model that plays gray frames of 16x8."""
    return f'''
import numpy as np
from {package} import VideoModel, command, get_ctx, model

@model(name="{name}", author="tests")
class {class_name}(VideoModel):
    def __init__(self, config):
        self.level = config.get("level", 1)

    @command("set_level", description="How bright")
    def set_level(self, level: int):
        self.level = level
        return {{"level": level}}

    @command("fail")
    def fail(self):
        raise ValueError("too dark")

    def start_session(self):
        while not get_ctx().should_stop():
            get_ctx().emit_block(np.full((8, 16, 3), self.level, np.uint8))
'''


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write `{"model.py": text, "package/part.py": text}` into the folder, and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook of code cells."""
    content = {
        "cells": [
            {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
            for cell in cells
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content))
    return path
