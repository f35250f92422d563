"""One file of a weight folder, from a URL to a disk: resumed after a break, never trusted to be whole.

fsspec opens the URL; this file knows what its file systems do differently.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast
from urllib.parse import quote, unquote

from reactor_nb.core.weights_progress import Progress
from reactor_nb.core.weights_source import WeightsSource, one_file_of, safe_name
from reactor_nb.errors import WeightsError

RETRY_AFTER_S: Final = (0.5, 2.0, 8.0)
"""Pauses before the next attempts at a file of which no more bytes came."""

_CHUNK_BYTES: Final = 8 * 2**20
_MOST_FOLDERS_DEEP: Final = 16
_CONNECT_S, _READ_S = 20.0, 60.0
# What tells one version of a remote file from another, under the names that file systems give it.
_VERSION_KEYS: Final = ("ETag", "etag", "md5Hash", "blob_id", "Last-Modified", "LastModified", "mtime", "last_modified")


@dataclass(frozen=True)
class RemoteFile:
    """`path` as its file system wants it; `name` relative, with slashes; `version` changes with the contents."""

    path: str
    name: str
    size: int | None
    version: str


class Remote:
    """The files of a WeightsSource.

    Raises:
        WeightsError: the URL's file system is unknown or not installed.
    Threads: the fetching one.
    """

    def __init__(self, source: WeightsSource) -> None:
        self._source = source
        # Imported when something is fetched: it takes longer than the rest of core.
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        url = source.url
        try:
            self._fs, self._root = url_to_fs(url, **_options(url, source.options))
        except ImportError as error:
            raise WeightsError(
                f"{source.name} is at {source.shown_url}, which needs a package: {error}. "
                f"Type: pip install {_package(error, url)}"
            ) from error
        except (ValueError, TypeError, OSError) as error:
            raise WeightsError(
                f"{source.name}: {source.shown_url} cannot be opened: {_line(error)}. Mend it in weights.yaml"
            ) from error
        self._is_http = not {"http", "https"}.isdisjoint(_protocols(self._fs))

    def files(self) -> list[RemoteFile]:
        """What is to be fetched, by name.

        Raises:
            WeightsError: nothing there, no answer, or a name that leads out of the folder.
        """
        source = self._source
        try:
            self._fs.invalidate_cache()
            found = [self._described(path, name) for path, name in self._names()]
        except WeightsError:
            raise
        except Exception as error:
            raise WeightsError(f"{source.name}: {source.shown_url} {_refusal(error)}") from error
        if not found:
            raise WeightsError(
                f"{source.name}: {source.shown_url} lists no files. Name them in weights.yaml:\n{source.name}:\n"
                f"  url: {source.shown_url}\n  files: [config.json, model.safetensors]"
            )
        return found

    def fetch(
        self, file: RemoteFile, target: Path, progress: Progress, retry_after_s: Sequence[float] = RETRY_AFTER_S
    ) -> None:
        """Bring `file` to `target`, from where `target` ends; a break is retried from where it happened.

        Raises:
            WeightsError: it cannot be had; what has come stays for the next attempt.
        """
        pauses = iter(retry_after_s)
        while True:
            before = _size(target)
            try:
                self._append(file, target, progress)
                if file.size is None or _size(target) == file.size:
                    return
                raise ConnectionError(f"{_size(target)} of {file.size} bytes came")
            except _DiskError as error:
                raise WeightsError(f"{target} cannot be written: {_line(error.reason)}") from error.reason
            except Exception as error:
                if _size(target) > before:
                    pauses = iter(retry_after_s)
                pause_s = None if _is_final(error) else next(pauses, None)
                if pause_s is None:
                    raise WeightsError(
                        f"{self._source.name}: {file.name} {_refusal(error)} after {_size(target)} bytes, which are "
                        f"kept: the next attempt goes on there. It comes from {self._source.shown_url}"
                    ) from error
                progress.note(f"{file.name} broke off ({_line(error)}); going on")
                threading.Event().wait(pause_s)

    def _names(self) -> Iterator[tuple[str, str]]:
        source, root = self._source, self._root
        if source.is_one_file:
            yield root, next(iter(source.sums))
        elif source.sums:
            base = root.rstrip("/")
            yield from ((f"{base}/{quote(name) if self._is_http else name}", name) for name in sorted(source.sums))
        elif not source.url.endswith("/") and (self._is_http or not self._fs.isdir(root)):
            yield root, one_file_of(source.url)
        else:
            base = f"{root.rstrip('/')}/"
            for path in sorted(self._linked(base) if self._is_http else self._fs.find(root)):
                name = str(path).removeprefix(base)
                yield str(path), safe_name(unquote(name) if self._is_http else name, source.shown_url)

    def _linked(self, folder: str, depth: int = 0) -> Iterator[str]:
        """What the index pages of a web server link to below `folder`.

        fsspec's own walk leaves out, without a word, a folder that cannot be read.
        """
        for entry in self._fs.ls(folder, detail=True):
            path = str(entry["name"])
            # An index page links to itself as well, in another order.
            if not path.startswith(folder) or path == folder or "?" in path or "#" in path:
                continue
            if not path.endswith("/"):
                yield path
            elif depth < _MOST_FOLDERS_DEEP:
                yield from self._linked(path, depth + 1)

    def _described(self, path: str, name: str) -> RemoteFile:
        info: Mapping[str, Any] = self._fs.info(path)
        size = info.get("size")
        version = {key: str(info[key]) for key in _VERSION_KEYS if info.get(key) is not None}
        return RemoteFile(path, name, size if isinstance(size, int) else None, f"{size} {version}")

    def _append(self, file: RemoteFile, target: Path, progress: Progress) -> None:
        offset = _size(target)
        if file.size is not None and offset >= file.size and target.exists():
            if offset > file.size:
                _write(target, b"", "wb")
                progress.add(-offset)
                offset = 0
            else:
                return
        try:
            source = self._open_at(file, offset)
        except _CannotResume:
            _write(target, b"", "wb")
            progress.add(-offset)
            source = self._open_at(file, 0)
        with source:
            while piece := source.read(_CHUNK_BYTES):
                _write(target, piece)
                progress.add(len(piece))

    def _open_at(self, file: RemoteFile, offset: int) -> BinaryIO:
        if self._is_http:
            return self._streamed(file, offset)
        source = cast("BinaryIO", self._fs.open(file.path, "rb", block_size=_CHUNK_BYTES, cache_type="none"))
        try:
            if offset:
                source.seek(offset)
        except (ValueError, OSError) as error:
            source.close()
            raise _CannotResume from error
        return source

    def _streamed(self, file: RemoteFile, offset: int) -> BinaryIO:
        """One request for all that is left; fsspec's own seeking asks for blocks, of which a break leaves nothing."""
        headers = dict(self._fs.kwargs.get("headers", {}))
        if offset:
            headers["Range"] = f"bytes={offset}-"
        # A size keeps it from asking for one; with a block size of 0 it is used for nothing else.
        source: Any = self._fs.open(file.path, "rb", block_size=0, size=file.size or 1, headers=headers)
        if offset and source.r.status != 206:
            source.close()
            raise _CannotResume
        return cast("BinaryIO", source)


class _CannotResume(Exception):
    """The file can only be read from its beginning."""


class _DiskError(Exception):
    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def sha256_of(path: Path, progress: Progress) -> str:
    """The SHA-256 of a file, in hex."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            total.update(piece)
            progress.add(len(piece))
    return total.hexdigest()


def _write(target: Path, piece: bytes, mode: Literal["ab", "wb"] = "ab") -> None:
    try:
        with target.open(mode) as file:
            file.write(piece)
    except OSError as error:
        raise _DiskError(error) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _options(url: str, given: Mapping[str, Any]) -> dict[str, Any]:
    options = dict(given)
    if url.startswith(("http://", "https://")):
        from aiohttp import ClientTimeout

        # A compressed answer has no ranges; and aiohttp's own limit of 5 minutes is one on the whole file.
        options["headers"] = {"Accept-Encoding": "identity", **options.get("headers", {})}
        limits = ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_READ_S)
        options["client_kwargs"] = {"timeout": limits, **options.get("client_kwargs", {})}
    return options


def _protocols(fs: Any) -> tuple[str, ...]:
    protocol = getattr(fs, "protocol", ())
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)


def _package(error: ImportError, url: str) -> str:
    known = {
        "s3": "s3fs",
        "s3a": "s3fs",
        "gs": "gcsfs",
        "gcs": "gcsfs",
        "hf": "huggingface_hub",
        "az": "adlfs",
        "abfs": "adlfs",
        "http": "aiohttp",
        "https": "aiohttp",
        "sftp": "paramiko",
        "ssh": "paramiko",
    }
    return known.get(url.partition(":")[0], error.name or "fsspec[full]")


def _is_final(error: BaseException) -> bool:
    """Whether asking again would give the same answer."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return 400 <= status < 500 and status not in (408, 429)
    return isinstance(error, (FileNotFoundError, PermissionError, NotImplementedError))


def _refusal(error: BaseException) -> str:
    # fsspec's FileNotFoundError stands for every refusal of a web server; the reason is its cause.
    reason = error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ is not None else error
    status = getattr(reason, "status", None)
    if status in (401, 403):
        return f"asks for a permission (HTTP {status})"
    if status == 404 or (reason is error and isinstance(error, FileNotFoundError)):
        return "is not there"
    return f"cannot be read: {_line(reason)}"


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
