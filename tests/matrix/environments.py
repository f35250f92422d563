"""The environments of `make test-matrix`: what the package needs, with one release of ipykernel each.

`python -m tests.matrix.environments` installs those that are not there; each takes about 700 MB.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tests.environments.installed import Environment


@dataclass(frozen=True)
class Kernel:
    """One row of the matrix: `has_subshells` is what that release offers to a front end that asks."""

    environment: Environment
    has_subshells: bool


KERNELS = (
    Kernel(Environment("ipykernel-6.31", ("ipykernel==6.31.*",)), has_subshells=False),
    Kernel(Environment("ipykernel-7.1", ("ipykernel==7.1.*",)), has_subshells=True),
    Kernel(Environment("ipykernel-7.3", ("ipykernel==7.3.*",)), has_subshells=True),
    Kernel(Environment("ipykernel-newest", ("ipykernel>=7.4,<8",)), has_subshells=True),
)


def main() -> int:
    missing = [kernel.environment for kernel in KERNELS if not kernel.environment.is_installed]
    if missing:
        names = ", ".join(environment.folder.name for environment in missing)
        sys.stdout.write(f"Installing once: {names} (about 700 MB each).\n")
    for environment in missing:
        environment.install()
    return 0


if __name__ == "__main__":
    sys.exit(main())
