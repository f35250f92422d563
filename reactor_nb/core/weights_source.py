"""weights.yaml beside a model: where its weights are fetched from, and what their checksums are.

diffusion-weights: s3://my-bucket/diffusion          a folder, or one file; any URL that fsspec opens

vae-decoder:
  url: https://example.org/vae/                       a folder, by its slash
  files:                                              which files; needed where the server lists none
    config.json:
    model.safetensors: 9f86d081884c7d659a2feaa0c5...  its SHA-256
  options: {anon: true}                               handed to fsspec, as its file system wants them

clip:
  url: ../shared/clip.safetensors                     one file; a path starts in the model's folder
  sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706...
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from reactor_nb.errors import WeightsError

FILE_NAME: Final = "weights.yaml"
_KEYS: Final = ("url", "sha256", "files", "options")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")
_SECRET: Final = re.compile(r"(?<=//)[^/@]*@|\?.*$")


@dataclass(frozen=True)
class WeightsSource:
    """Where the weights `name` come from. `sums`: file, relative and with slashes -> SHA-256 in hex, or None.

    With `is_one_file` the URL is that of the only file in `sums`; else it is a folder, and without `sums` all in it.
    """

    name: str
    url: str
    sums: Mapping[str, str | None] = field(default_factory=dict)
    is_one_file: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Equal for equal contents: made of the checksums where all files have one, else of the URL too.

        Two models may have different weights under one name; each is kept under its own key.
        """
        is_known = bool(self.sums) and all(self.sums.values())
        told = [sorted(self.sums.items()), None if is_known else self.url]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    @property
    def shown_url(self) -> str:
        """For people and logs: without user, password and query, which may hold a secret."""
        return _SECRET.sub("", self.url) if has_scheme(self.url) else self.url


def read_sources(folder: Path) -> Mapping[str, Any]:
    """weights.yaml as it is written: name -> URL or mapping. Empty without the file.

    Raises:
        WeightsError: no text, no YAML, or no mapping.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        return {}
    # Imported here: most models have no such file, and `reactor schema` is to start fast.
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        # The configuration's own reader, so that ${oc.env:BUCKET} means here what it means there.
        values = OmegaConf.to_container(OmegaConf.load(file), resolve=True)
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException) as error:
        raise WeightsError(f"{file} cannot be read: {_in_a_line(error)}. It needs YAML, such as\n{_EXAMPLE}") from error
    if not isinstance(values, dict):
        raise WeightsError(f"{file} holds {_what(values)}; it needs names and URLs, such as\n{_EXAMPLE}")
    return {str(key): value for key, value in values.items()}


def source_from(folder: Path, name: str, sources: Mapping[str, Any]) -> WeightsSource | None:
    """The checked source of `name`, of what `read_sources` gave.

    Raises:
        WeightsError: names the file and the key at fault.
    """
    if name not in sources:
        return None
    value, place = sources[name], f"{folder / FILE_NAME}: {name}"
    said = {"url": value} if isinstance(value, str) else value
    if not isinstance(said, dict):
        raise WeightsError(f"{place} is {_what(value)}; it needs a URL, such as\n{_EXAMPLE}")
    if wrong := [key for key in said if key not in _KEYS]:
        raise WeightsError(f"{place} has the key {str(wrong[0])!r}; it may have {', '.join(_KEYS)}.")
    url, sha256, files = said.get("url"), said.get("sha256"), said.get("files")
    options = said.get("options") or {}
    if not isinstance(url, str) or not url.strip():
        raise WeightsError(f"{place} has no url, or {_what(url)} for one; it needs one, such as\n{_EXAMPLE}")
    if sha256 is not None and files is not None:
        raise WeightsError(
            f"{place} has sha256, which is for one file, and files. Write each sum behind its file:\n"
            f"{name}:\n  url: {url}\n  files:\n    model.safetensors: SHA256"
        )
    if not isinstance(options, dict):
        raise WeightsError(f"{place}.options is {_what(options)}; it needs keys and values: options: {{anon: true}}")
    url = _absolute(url.strip(), folder)
    if files is not None:
        return WeightsSource(name, url, _checked_files(files, place), options=options)
    if sha256 is not None:
        if url.endswith("/"):
            raise WeightsError(
                f"{place} has sha256, which is for one file, and a url of a folder. Write files: instead."
            )
        sums = {one_file_of(url): _checked_sum(sha256, place)}
        return WeightsSource(name, url, sums, is_one_file=True, options=options)
    return WeightsSource(name, url, options=options)


def has_scheme(url: str) -> bool:
    """Whether it is a URL, and not a path of this machine."""
    return _SCHEME.match(url) is not None


def one_file_of(url: str) -> str:
    """The file name in the URL of one file.

    Raises:
        WeightsError: there is none that could be the name of a file.
    """
    # Of a chain such as zip://model.bin::https://host/all.zip the first link names the file.
    parts = urlsplit(url.partition("::")[0])
    # In s3://model.bin, or memory://model.bin, it stands where a web address has the host.
    path = parts.path.strip("/") or ("" if parts.scheme in ("http", "https") else parts.netloc)
    return safe_name(unquote(PurePosixPath(path).name), url)


def safe_name(name: str, place: str) -> str:
    """`name` as it came, if it is a relative path that stays in its folder.

    Raises:
        WeightsError: it is absolute, or leads out of the folder.
    """
    parts = name.split("/")
    if not name or "\\" in name or "\0" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        raise WeightsError(
            f"{place}: {name!r} is no path of a file in a weight folder; it needs a relative one with slashes and "
            "without '..', such as unet/model.safetensors"
        )
    return name


_EXAMPLE: Final = "my-weights: https://example.org/my-weights/model.safetensors"


def _absolute(url: str, folder: Path) -> str:
    if has_scheme(url):
        return url
    path = (folder / Path(url).expanduser()).absolute()
    return f"{path.as_posix()}/" if url.endswith("/") else path.as_posix()


def _checked_files(files: object, place: str) -> dict[str, str | None]:
    if isinstance(files, list):
        files = dict.fromkeys(map(str, files))
    if not isinstance(files, dict) or not files:
        raise WeightsError(
            f"{place}.files is {_what(files)}; it needs file names: files: [config.json, model.safetensors]"
        )
    return {
        safe_name(str(file), f"{place}.files"): None if value is None else _checked_sum(value, f"{place}.files.{file}")
        for file, value in files.items()
    }


def _checked_sum(value: object, place: str) -> str:
    # YAML reads a sum of digits alone as a number, and one such as 12e3... as a float; both have lost digits.
    text = value.strip().lower().removeprefix("sha256:") if isinstance(value, str) else ""
    if not _SHA256.fullmatch(text):
        raise WeightsError(
            f"{place} has the SHA-256 {value!r}; it needs 64 hexadecimal digits, in quotes. sha256sum FILE prints them."
        )
    return text


def _what(value: object) -> str:
    if value is None:
        return "nothing"
    if value in ([], {}):
        return "empty"
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else repr(value)


def _in_a_line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
