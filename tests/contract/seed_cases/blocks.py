"""Where the code of the two seed documents stands: they have no fences, so a table says it."""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER = Path(os.environ.get("REACTOR_NB_SEEDS") or Path(__file__).parents[4] / "shared" / "seeds")

Kind = Literal["module", "decorator", "method", "yaml", "shell", "text"]

_IMPORTS = "from reactor_nb import VideoModel, command, get_ctx, model\n"
_BARE_CLASS = "class MyVideoModel(VideoModel):\n    def start_session(self):\n        ...\n"


@dataclass(frozen=True)
class Seed:
    """One block: lines `first` to `last` of a document, both from 1 and included. `starts` guards the table."""

    document: str
    first: int
    last: int
    kind: Kind
    starts: str

    @property
    def label(self) -> str:
        return f"{self.document[:3]}-line-{self.first}"

    def text(self) -> str:
        return "\n".join(lines_of(self.document)[self.first - 1 : self.last]) + "\n"

    def module(self) -> str:
        """Python that runs by itself: what the document leaves out around the block is put there."""
        text = self.text().replace("reactor_runtime", "reactor_nb")
        if self.kind == "decorator":
            return f"{_IMPORTS}\n{text}{_BARE_CLASS}"
        if self.kind == "method":
            imports, method = text.split("\n\n", 1)
            return f"{_IMPORTS}{imports}\n\n{_BARE_CLASS}\n{textwrap.indent(method, '    ')}"
        return text if "import" in text else f"{_IMPORTS}\n{text}"


def lines_of(document: str) -> list[str]:
    return (FOLDER / document).read_text(encoding="utf-8").splitlines()


MODEL_PAGE = "000_dd52094b2e1743d3.txt"
COMMAND_PAGE = "001_b1b9acdbd44dbffd.txt"
DOCUMENTS = (MODEL_PAGE, COMMAND_PAGE)

SEEDS = (
    Seed(MODEL_PAGE, 3, 8, "module", "from reactor_runtime import VideoModel, model"),
    Seed(MODEL_PAGE, 16, 18, "module", '@model(name="my-diffusion-model")'),
    Seed(MODEL_PAGE, 26, 26, "decorator", '@model(name="longlive")'),
    Seed(MODEL_PAGE, 28, 28, "decorator", '@model(name="my-diffusion-v2")'),
    Seed(MODEL_PAGE, 30, 30, "decorator", '@model(name="world-simulator-beta")'),
    Seed(MODEL_PAGE, 36, 38, "module", '@model(name="my-model", config="configs/default.yaml")'),
    Seed(MODEL_PAGE, 44, 46, "module", '@model(name="my-model", weights=["my-model-weights", "vae-decoder"])'),
    Seed(MODEL_PAGE, 52, 60, "module", "@model("),
    Seed(MODEL_PAGE, 66, 67, "shell", "cd my-model"),
    Seed(MODEL_PAGE, 78, 78, "text", "Error: No @model decorated class found in project."),
    Seed(MODEL_PAGE, 87, 111, "module", "from reactor_runtime import VideoModel, model, command, get_ctx"),
    Seed(MODEL_PAGE, 122, 122, "decorator", '@model(name="my-diffusion", weights=["my-weights"])'),
    Seed(MODEL_PAGE, 124, 126, "yaml", "fps: 30"),
    Seed(COMMAND_PAGE, 17, 30, "module", "from reactor_runtime import VideoModel, command"),
    Seed(COMMAND_PAGE, 43, 47, "method", "from typing import Literal"),
    Seed(COMMAND_PAGE, 53, 57, "method", "from pydantic import Field"),
    Seed(COMMAND_PAGE, 66, 80, "module", "from typing import Literal"),
    Seed(COMMAND_PAGE, 91, 105, "module", "from reactor_runtime import VideoModel, command, get_ctx"),
)


def seed_at(document: str, first: int) -> Seed:
    return next(seed for seed in SEEDS if (seed.document, seed.first) == (document, first))
