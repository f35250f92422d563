"""A second client of a running kernel, for tests that ask it something without a cell.

A plain zmq socket: jupyter_client's own clients start threads or need an event loop, and the browser
tests already run inside playwright's.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import Session


class KernelError(RuntimeError):
    """What was asked raised in the kernel."""


class KernelChannel:
    """The shell channel of the kernel behind a connection file. Threads: the one that made it."""

    def __init__(self, connection_file: Path) -> None:
        info = json.loads(connection_file.read_text())
        self._session = Session(key=info["key"].encode(), signature_scheme=info["signature_scheme"])
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.linger = 0
        self._socket.connect(f"tcp://{info['ip']}:{info['shell_port']}")

    def run(self, code: str, timeout_s: float = 20.0) -> None:
        """Run statements; what they print goes nowhere. KernelError with the kernel's own message."""
        self._ask(code, {}, timeout_s)

    def evaluate(self, expression: str, timeout_s: float = 20.0) -> Any:
        """The value of an expression, through JSON. Waits for a cell that runs."""
        wrapped = f"__import__('json').dumps({expression})"
        answer = self._ask("", {"value": wrapped}, timeout_s)["user_expressions"]["value"]
        if answer["status"] != "ok":
            raise KernelError(f"{expression}: {answer['ename']}: {answer['evalue']}")
        # The kernel sends the repr of the JSON text.
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    def _ask(self, code: str, expressions: dict[str, str], timeout_s: float) -> dict[str, Any]:
        content = {
            "code": code,
            "silent": True,
            "store_history": False,
            "user_expressions": expressions,
            "allow_stdin": False,
            "stop_on_error": False,
        }
        request = self._session.send(self._socket, "execute_request", content)
        assert request is not None
        while self._socket.poll(int(timeout_s * 1000)):
            _, reply = self._session.recv(self._socket, mode=0)
            if reply and reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                if reply["content"]["status"] != "ok":
                    raise KernelError(f"{reply['content'].get('ename')}: {reply['content'].get('evalue')}")
                return dict(reply["content"])
        raise TimeoutError(f"the kernel did not answer within {timeout_s:g} s: {code or expressions}")

    def close(self) -> None:
        self._socket.close()
        self._context.term()
