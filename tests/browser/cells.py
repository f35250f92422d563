"""Cells of the browser tests: models that paint their frame number and what their commands set."""

from __future__ import annotations

LOAD = "%load_ext reactor_nb"

RUN = "%reactor run"

COUNTER = '''
import time
from typing import Literal
import numpy as np
from pydantic import Field
from reactor_nb import VideoModel, model, command, get_ctx
from tests.support import barcode

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 60), "blue": (40, 60, 220)}
LOADED = globals().get("LOADED", [])

@model(name="counter")
class Counter(VideoModel):
    """Paints its frame number; the lower half is grey as `level` says, the upper right has `colour`."""

    def __init__(self, config):
        LOADED.append(self.__class__)
        self.height, self.width = config.get("height", 360), config.get("width", 640)
        self.number, self.level, self.colour, self.size = 0, 0.5, "red", 0.25
        self.seen = []

    @command("set_level", description="Grey of the lower half")
    def set_level(self, level: float = Field(0.5, ge=0.0, le=1.0, description="Level")):
        self.level = level
        self.seen.append(("set_level", level))
        return level

    @command("paint", description="Colour")
    def paint(self, colour: Literal["red", "green", "blue"]):
        self.colour = colour

    @command("set_prompt", description="Prompt")
    def set_prompt(self, prompt: str):
        self.colour = prompt if prompt in COLOURS else self.colour
        self.seen.append(("set_prompt", prompt))

    @command("mix", description="Mix two at once")
    def mix(self, level: float = Field(0.5, ge=0.0, le=1.0), colour: Literal["red", "green", "blue"] = "green"):
        self.level, self.colour = level, colour

    @command("rewind", description="Count from zero")
    def rewind(self):
        self.number = 0

    @command("fail", description="Raises")
    def fail(self, why: Literal["now", "later"]):
        raise RuntimeError(f"the author said {why}")

    @command("slow", description="Takes its time")
    def slow(self, seconds: int):
        time.sleep(seconds)

    def generate(self):
        frame = np.zeros((self.height, self.width, 3), np.uint8)
        frame[: self.height // 2, self.width // 2 :] = COLOURS[self.colour]
        frame[self.height // 2 :] = int(self.level * 255)
        barcode.paint(frame, self.number)
        self.number += 1
        return frame

    def start_session(self):
        while not get_ctx().should_stop():
            get_ctx().emit_block(self.generate())
'''
