"""Runs the cases with one of the two packages and prints what it makes of each.

    PYTHON tests/peer/judge.py reactor_runtime < cases.json > verdicts.json

It is a program of its own because the original package keeps one table of commands for the whole process.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import sys
import types
import warnings
from typing import Any


def main() -> None:
    warnings.simplefilter("ignore")
    package = importlib.import_module(sys.argv[1])
    asked = json.load(sys.stdin)
    verdicts = {case["name"]: _judge(package, asked["prelude"], case) for case in asked["cases"]}
    json.dump(verdicts, sys.stdout, sort_keys=True)


def _judge(package: types.ModuleType, prelude: str, case: dict[str, Any]) -> dict[str, str]:
    verdict: dict[str, str] = {}
    table = getattr(sys.modules.get("reactor_runtime.model_api"), "command_registry", None)
    if table is not None:
        table.clear()  # or one command that cannot be described would hide those of all other cases
    try:
        instance = _instance(package, prelude, case)
    except Exception:
        return {"definition": "refused", **dict.fromkeys(case["payloads"], "no such command")}
    try:
        known = instance.commands()["commands"][case["name"]]
        verdict["definition"] = json.dumps(known, sort_keys=True, allow_nan=False)
    except Exception:
        verdict["definition"] = "commands() raises"
    for payload in case["payloads"]:
        verdict[payload] = _send(instance, case["name"], json.loads(payload))
    return verdict


def _instance(package: types.ModuleType, prelude: str, case: dict[str, Any]) -> Any:
    module = types.ModuleType("cases")
    module.__dict__.update(VideoModel=package.VideoModel, command=package.command)
    # Registered, for pydantic and dataclasses look a class's module up by its name.
    sys.modules["cases"] = module
    exec(prelude, module.__dict__)
    first = "" if case["style"] == "static" else "self, "
    lines = [
        "class Player(VideoModel):",
        "    def start_session(self): ...",
        f"    @command({case['name']!r}, description='d')",
        *(["    @staticmethod"] if case["style"] == "static" else []),
        f"    {'async def' if case['style'] == 'async def' else 'def'} go({first}{case['signature']}):",
        "        return {name: value for name, value in locals().items() if name != 'self'}",
    ]
    exec("\n".join(lines), module.__dict__)
    return module.__dict__["Player"]()


def _send(instance: Any, name: str, arguments: Any) -> str:
    try:
        result = instance.send(name, arguments)
    except Exception:
        return "refused"
    if inspect.iscoroutine(result):
        result.close()
        return "accepted, and never run: a coroutine came back"
    return f"accepted: {result!r}"


if __name__ == "__main__":
    asyncio.set_event_loop(None)
    main()
