"""`reactor init NAME`: a project that runs as it stands."""

from __future__ import annotations

import keyword
from pathlib import Path
from string import Template
from typing import Final

from reactor_nb.cli.arguments import Arguments
from reactor_nb.cli.console import say
from reactor_nb.errors import UsageError

_TEMPLATES: Final = Path(__file__).resolve().parents[1] / "templates" / "project"
_SUFFIX: Final = ".template"


def perform(arguments: Arguments) -> int:
    """Make the folder and say what to type next."""
    folder = Path(arguments.words[0]).expanduser()
    files = write_project(folder)
    say(f"{folder}")
    for file in files:
        say(f"  {file.relative_to(folder)}")
    say(f"\nNext:\n  cd {folder}\n  reactor check\n  reactor run --for 3s --out clip.mp4\n  reactor run")
    return 0


def write_project(folder: Path) -> list[Path]:
    """Write the project into `folder`, whose last part is the model's name; the files that were written.

    Raises:
        UsageError: that is no model's name, or the folder has files.
    """
    from reactor_nb.core.model import proposed_name

    name = folder.name
    if name != proposed_name(name):
        mend = folder.with_name(proposed_name(name))
        raise UsageError(
            f"reactor init got {name!r}; a model's name has lowercase letters, digits and hyphens. "
            f"Type: reactor init {mend}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "has files in it" if folder.is_dir() else "is a file"
        raise UsageError(f"{folder} is there and {what}. Type: reactor init {folder}-2")
    words = {"name": name, "class_name": class_name(name)}
    written = []
    for template in sorted(path for path in _TEMPLATES.rglob(f"*{_SUFFIX}") if path.is_file()):
        target = folder / template.relative_to(_TEMPLATES).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
        written.append(target)
    return written


def class_name(name: str) -> str:
    """`my-model` -> MyModel; never Python's own word, nor that of the base class."""
    text = "".join(part[:1].upper() + part[1:] for part in name.split("-"))
    if keyword.iskeyword(text) or text == "VideoModel":
        return f"My{text}"
    return text if text[0].isalpha() else f"Model{text}"
