"""This project's model in the comparison."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from reactor_nb import VideoModel, command, get_ctx, model
from tests.benchmarks import kernel_side


@model(name="bench")
class Bench(VideoModel):
    def __init__(self, config: Any) -> None:
        pass

    @command("mark", description="Notes when it was called")
    def mark(self, index: Annotated[int, Field(ge=0, le=1000)] = 0) -> None:
        kernel_side.marks.mark(index)

    # Of its own for calls that bypass the slider: a call moves the control of its command as well.
    @command("touch", description="Notes when it was called")
    def touch(self, index: Annotated[int, Field(ge=0, le=1000)] = 0) -> None:
        kernel_side.marks.mark(index)

    def start_session(self) -> None:
        ctx = get_ctx()
        kernel_side.player().play(ctx.emit_block, ctx.should_stop)
