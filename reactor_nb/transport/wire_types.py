"""Prints the TypeScript types of every message between a kernel and a page.

`python -m reactor_nb.transport.wire_types > js/src/protocol.ts`: the page and the kernel are checked
against one file, protocol.json, so that neither can drift alone.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import Any

PAGE_TO_KERNEL = "page_to_kernel"
KERNEL_TO_PAGE = "kernel_to_page"


def load_protocol() -> dict[str, Any]:
    """protocol.json as it is: version, types and the messages of both directions."""
    text = files(__package__).joinpath("protocol.json").read_text(encoding="utf-8")
    protocol: dict[str, Any] = json.loads(text)
    return protocol


def typescript(protocol: dict[str, Any]) -> str:
    """The text of js/src/protocol.ts, two spaces of indent, no semicolons.

    A message `offer` becomes the interface `OfferMessage`; each direction becomes a union. A name that
    ends in `?` is optional.
    """
    lines = [
        "// Made from reactor_nb/transport/protocol.json; change that file, then run",
        "// python -m reactor_nb.transport.wire_types > js/src/protocol.ts",
        "",
        f"export const PROTOCOL_VERSION = {protocol['version']}",
    ]
    for name, fields in protocol["types"].items():
        lines += ["", *_interface(name, fields)]
    for direction, union in ((PAGE_TO_KERNEL, "PageToKernel"), (KERNEL_TO_PAGE, "KernelToPage")):
        messages = protocol[direction]
        for wire_name, fields in messages.items():
            lines += ["", *_interface(interface_name(wire_name), {"type": json.dumps(wire_name), **fields})]
        lines += ["", f"export type {union} =", *(f"  | {interface_name(wire_name)}" for wire_name in messages)]
    return "\n".join(lines) + "\n"


def interface_name(wire_name: str) -> str:
    """`kernel_gone` -> `KernelGoneMessage`; `message` is `ModelMessage`, as `Message` says too little."""
    if wire_name == "message":
        return "ModelMessage"
    return "".join(part.capitalize() for part in wire_name.split("_")) + "Message"


def _interface(name: str, fields: dict[str, str]) -> list[str]:
    return [f"export interface {name} {{", *(f"  {field}: {kind}" for field, kind in fields.items()), "}"]


if __name__ == "__main__":
    sys.stdout.write(typescript(load_protocol()))
