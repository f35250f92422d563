"""The environments of `make test-environments`: what the package needs, with other front ends beside it.

`python -m tests.environments.installed` installs those that are not there; each takes about 700 MB. The tests run in
.venv, which has the browser's driver: an environment here holds a server, its front end and its kernels.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """`packages` is what pip is asked for besides the requirements of this package."""

    name: str
    packages: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return Path(os.environ.get("REACTOR_NB_ENVIRONMENTS", REPOSITORY)) / f".venv-{self.name}"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def is_installed(self) -> bool:
        return self._mark.exists() and self._mark.read_text() == "\n".join(self._wanted())

    @property
    def _mark(self) -> Path:
        return self.folder / ".installed"

    def _wanted(self) -> list[str]:
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        return [*self.packages, *project["dependencies"]]

    def install(self) -> None:
        """Make it, unless it is there with the same requirements. CalledProcessError when pip fails."""
        if self.is_installed:
            return
        venv.create(self.folder, with_pip=True, clear=True)
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*pip, *self._wanted()], check=True)
        self._mark.write_text("\n".join(self._wanted()))


LAB_4_4 = Environment("lab-4.4", ("jupyterlab==4.4.*", "notebook==7.4.*"))
CURRENT = Environment(
    "front-ends",
    ("jupyterlab", "notebook", "nbclassic", "voila", "marimo", "jupyter-console", "papermill", "nbconvert"),
)
OLD_KERNEL = Environment("ipykernel-6.31", ("ipykernel==6.31.*",))
ENVIRONMENTS = (LAB_4_4, CURRENT, OLD_KERNEL)


def main() -> int:
    missing = [environment for environment in ENVIRONMENTS if not environment.is_installed]
    if missing:
        names = ", ".join(environment.folder.name for environment in missing)
        sys.stdout.write(f"Installing once: {names} (about 700 MB each).\n")
    for environment in missing:
        environment.install()
    return 0


if __name__ == "__main__":
    sys.exit(main())
