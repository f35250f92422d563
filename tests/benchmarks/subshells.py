"""The subshells that JupyterLab leaves behind in a kernel: one with each reload of a page, until the kernel ends.

A subshell is a thread and eight open files of ipykernel's. A long run with reloads ends them, so that what it counts
is this project's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import Session

_TIMEOUT_MS = 5000


class Subshells:
    """Of the kernel behind a connection file. Threads: the one that made it; `close()` ends its socket."""

    def __init__(self, connection_file: Path) -> None:
        told = json.loads(connection_file.read_text())
        self._session = Session(key=told["key"].encode(), signature_scheme=told["signature_scheme"])
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._control = self._context.socket(zmq.DEALER)
        self._control.linger = 0
        self._control.connect(f"tcp://{told['ip']}:{told['control_port']}")

    def all(self) -> list[str]:
        """Their ids; none where the kernel has no subshells."""
        return list(self._ask("list_subshell_request", {}).get("subshell_id", []))

    def end(self, subshell_ids: list[str]) -> None:
        for subshell_id in subshell_ids:
            self._ask("delete_subshell_request", {"subshell_id": subshell_id})

    def _ask(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        request = self._session.send(self._control, kind, content)
        assert request is not None
        while self._control.poll(_TIMEOUT_MS):
            _, reply = self._session.recv(self._control, mode=0)
            if reply and reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                return dict(reply["content"])
        return {}

    def close(self) -> None:
        self._control.close()
        self._context.term()
