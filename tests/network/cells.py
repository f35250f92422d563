"""A model whose picture no encoder gets cheaply, and which notes when it showed each frame and what it was told."""

from __future__ import annotations

LOAD = "%load_ext reactor_nb"

RUN = "%reactor run"

SCENE = '''
import time
import numpy as np
from reactor_nb import VideoModel, model, command, get_ctx
from tests.support import barcode

SHOWN_S, HEARD, PRINTS = {}, [], [0]

@model(name="scene")
class Scene(VideoModel):
    """A rough texture that drifts, 640 x 480, with its frame number painted in."""

    def __init__(self, config):
        rough = np.random.default_rng(5).integers(0, 256, (60, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        fine = np.random.default_rng(6).integers(-24, 25, rough.shape)
        self.texture = np.clip(rough // 2 + 64 + fine, 0, 255).astype(np.uint8)
        self.number = 0

    @command("note", description="Remembers what it was told")
    def note(self, number: int):
        HEARD.append(number)
        return number

    @command("chatter", description="Prints so many lines with each frame")
    def chatter(self, lines: int):
        PRINTS[:] = [lines]

    def start_session(self):
        while not get_ctx().should_stop():
            frame = np.roll(self.texture, 3 * self.number, axis=1)
            barcode.paint(frame, self.number)
            SHOWN_S[self.number] = time.time()
            for line in range(*PRINTS):
                print(f"frame {self.number}, line {line}: " + 40 * "words ")
            get_ctx().emit_block(frame)
            self.number += 1
'''
