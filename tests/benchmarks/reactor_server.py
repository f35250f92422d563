"""The original's http runtime with the model under measurement: run by the Python of its own environment.

    .venv-peer/bin/python -m tests.benchmarks.reactor_server --port 8123 --job '{"width_px": 1280, ...}'

As it comes but for one thing, in its favour: no public server is asked for an address.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from omegaconf import OmegaConf
from reactor_runtime import VideoModel, get_ctx  # type: ignore[import-not-found]
from reactor_runtime.runtimes.http.config import HttpRuntimeConfig  # type: ignore[import-not-found]
from reactor_runtime.runtimes.http.http_runtime import serve  # type: ignore[import-not-found]

from tests.benchmarks.model_loop import Job, Player


class Bench(VideoModel):  # type: ignore[misc]
    def __init__(self, config: Any) -> None:
        self._player = Player(Job.from_text(config.job))

    def start_session(self) -> None:
        ctx = get_ctx()
        # As its documentation says: without it the rate stays at the first guess of 16 fps.
        ctx.enable_monitoring()
        self._player.play(ctx.emit_block, ctx.should_stop)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.reactor_server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--job", required=True)
    arguments = parser.parse_args()
    no_servers: Any = property(lambda self: [])
    HttpRuntimeConfig.ice_servers = no_servers
    asyncio.run(
        serve(
            model_spec="tests.benchmarks.reactor_server:Bench",
            model_name="bench",
            model_config=OmegaConf.create({"job": arguments.job}),
            host="127.0.0.1",
            port=arguments.port,
        )
    )


if __name__ == "__main__":
    main()
