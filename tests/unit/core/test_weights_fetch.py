"""Fetching weights: from real files and a real web server, through breaks, and with several who want them."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest
from filelock import FileLock
from fsspec.spec import AbstractFileSystem  # type: ignore[import-untyped]

from reactor_nb.core.weights_fetch import fetch, fetched_folder
from reactor_nb.core.weights_source import WeightsSource, source_from
from reactor_nb.errors import WeightsError
from tests.support.eventually import eventually
from tests.unit.core.weights_server import WeightsServer, serving

MODEL = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(MODEL).hexdigest()


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with serving({"/w/model.bin": MODEL, "/w/config.json": b"{}", "/w/unet/a b.bin": b"ab"}) as server:
        yield server


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def source(folder: Path, said: str | Mapping[str, Any], name: str = "vae") -> WeightsSource:
    found = source_from(folder, name, {name: said})
    assert found is not None
    return found


def fetched(source: WeightsSource, cache: Path, *, stall_s: float = 5.0) -> Path:
    return fetch(source, cache, stall_s=stall_s, retry_after_s=(0, 0))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def come(cache: Path, count: int) -> None:
    """Wait until that many bytes are on the disk."""
    eventually(lambda: sum(path.stat().st_size for path in cache.rglob("model.bin")) >= count, timeout_s=5)


def first_byte(get: tuple[str, str | None]) -> int:
    """Where the range starts that a GET asked for; 0 without a range."""
    return int((get[1] or "bytes=0-").removeprefix("bytes=").partition("-")[0])


def test_one_file_over_http_is_fetched_once(server: WeightsServer, cache: Path) -> None:
    wanted = source(cache, f"{server.url}/w/model.bin")
    folder = fetched(wanted, cache)
    assert folder.name == "vae" and files_of(folder) == {"model.bin": MODEL}
    assert fetched(wanted, cache) == folder
    assert server.gets == [("/w/model.bin", None)]


def test_a_folder_of_files_is_copied_whole(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "from" / "unet").mkdir(parents=True)
    (tmp_path / "from" / "unet" / "a.bin").write_bytes(MODEL)
    (tmp_path / "from" / "empty").write_bytes(b"")
    for url in ("from", "from/", (tmp_path / "from").as_uri(), (tmp_path / "from").as_uri() + "/"):
        assert files_of(fetched(source(tmp_path, url), cache)) == {"unet/a.bin": MODEL, "empty": b""}


def test_one_file_of_this_machine_is_a_folder_with_that_file(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "model.bin").write_bytes(MODEL)
    assert files_of(fetched(source(tmp_path, "model.bin"), cache)) == {"model.bin": MODEL}


def test_the_files_that_an_index_page_lists_are_fetched(server: WeightsServer, cache: Path) -> None:
    server.files["/w/"] = (
        '<a href="?C=N;O=D">Name</a><a href="../">up</a><a href="/elsewhere/b.bin">b</a>'
        '<a href="config.json">c</a><a href="unet/">u</a>'
    )
    server.files["/w/unet/"] = '<a href="a%20b.bin">a b</a>'
    assert files_of(fetched(source(cache, f"{server.url}/w/"), cache)) == {"config.json": b"{}", "unet/a b.bin": b"ab"}


def test_a_folder_of_a_server_that_cannot_be_read_is_not_left_out(server: WeightsServer, cache: Path) -> None:
    server.files["/w/"] = '<a href="config.json">c</a><a href="gone/">g</a>'
    with pytest.raises(WeightsError, match="is not there"):
        fetched(source(cache, f"{server.url}/w/"), cache)


def test_an_index_page_that_leads_out_of_the_folder_is_refused(server: WeightsServer, cache: Path) -> None:
    server.files["/w/"] = '<a href="..%2f..%2fsecret.bin">x</a>'
    server.files["/w/../../secret.bin"] = b"x"
    with pytest.raises(WeightsError, match=r"'\.\./\.\./secret\.bin' is no path of a file in a weight folder"):
        fetched(source(cache, f"{server.url}/w/"), cache)
    assert not list(cache.rglob("secret.bin"))


def test_a_server_that_lists_nothing_is_told_which_files(server: WeightsServer, cache: Path) -> None:
    server.files["/w/"] = "<p>Hello</p>"
    with pytest.raises(WeightsError, match=r"lists no files\. Name them in weights\.yaml:\nvae:\n  url: http"):
        fetched(source(cache, f"{server.url}/w/"), cache)
    wanted = source(cache, {"url": f"{server.url}/w", "files": ["config.json", "unet/a b.bin"]})
    assert files_of(fetched(wanted, cache)) == {"config.json": b"{}", "unet/a b.bin": b"ab"}


def test_a_connection_that_breaks_in_the_middle_is_resumed_there(
    server: WeightsServer, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.breaks, server.before_cut = [700_000], lambda: come(cache, 500_000)
    assert files_of(fetched(source(cache, f"{server.url}/w/model.bin"), cache)) == {"model.bin": MODEL}
    assert [asked is None for _, asked in server.gets] == [True, False]
    assert 500_000 <= first_byte(server.gets[-1]) <= 700_000
    assert "model.bin broke off (ClientPayloadError" in capsys.readouterr().err


def test_a_connection_that_breaks_again_and_again_comes_to_its_end(server: WeightsServer, cache: Path) -> None:
    wanted = [150_000 * count for count in range(1, 7)]
    server.breaks, server.before_cut = [160_000] * 6, lambda: come(cache, wanted.pop(0))
    assert files_of(fetched(source(cache, f"{server.url}/w/model.bin"), cache)) == {"model.bin": MODEL}
    assert len(server.gets) == 7


def test_a_fetch_that_failed_is_resumed_by_the_next_one(server: WeightsServer, cache: Path) -> None:
    server.breaks, server.before_cut = [300_000, 0, 0, 0], lambda: come(cache, 200_000)
    wanted = source(cache, {"url": f"{server.url}/w/model.bin", "sha256": SHA256})
    with pytest.raises(WeightsError, match=r"model\.bin cannot be read: .* bytes, which are kept: the next attempt"):
        fetched(wanted, cache)
    assert not fetched_folder(wanted, cache).exists()
    server.breaks, server.gets = [], []
    assert files_of(fetched(wanted, cache)) == {"model.bin": MODEL}
    [get] = server.gets
    assert first_byte(get) >= 200_000


def test_a_file_that_changed_since_the_break_is_begun_anew(server: WeightsServer, cache: Path) -> None:
    server.breaks, server.before_cut = [300_000, 0, 0, 0], lambda: come(cache, 200_000)
    wanted = source(cache, f"{server.url}/w/model.bin")
    with pytest.raises(WeightsError):
        fetched(wanted, cache)
    server.breaks, server.etag, server.files["/w/model.bin"] = [], "two", MODEL[::-1]
    assert files_of(fetched(wanted, cache)) == {"model.bin": MODEL[::-1]}


def test_a_server_that_cannot_resume_sends_it_all_again(server: WeightsServer, cache: Path) -> None:
    server.has_ranges = False
    server.breaks, server.before_cut = [700_000], lambda: come(cache, 500_000)
    assert files_of(fetched(source(cache, f"{server.url}/w/model.bin"), cache)) == {"model.bin": MODEL}
    assert server.gets[-1] == ("/w/model.bin", None)


def test_a_server_that_does_not_tell_the_size_is_believed(server: WeightsServer, cache: Path) -> None:
    server.tells_size = False
    assert files_of(fetched(source(cache, f"{server.url}/w/model.bin"), cache)) == {"model.bin": MODEL}


def test_a_wrong_checksum_throws_the_file_away(server: WeightsServer, cache: Path) -> None:
    wanted = source(cache, {"url": f"{server.url}/w/", "files": {"model.bin": "0" * 64, "config.json": None}})
    with pytest.raises(WeightsError, match=rf"model\.bin from .* has the SHA-256\n  {SHA256}, and weights\.yaml says"):
        fetched(wanted, cache)
    assert not list(cache.rglob("model.bin")) and not fetched_folder(wanted, cache).exists()


def test_the_same_contents_from_another_server_are_not_fetched_again(server: WeightsServer, cache: Path) -> None:
    first = source(cache, {"url": f"{server.url}/w/model.bin", "sha256": SHA256})
    second = source(cache, {"url": "http://127.0.0.1:9/elsewhere/model.bin", "sha256": SHA256.upper()})
    assert fetched(first, cache) == fetched(second, cache)


def test_two_models_may_mean_different_weights_by_one_name(server: WeightsServer, cache: Path) -> None:
    one = fetched(source(cache, f"{server.url}/w/model.bin"), cache)
    two = fetched(source(cache, f"{server.url}/w/config.json"), cache)
    assert one.name == two.name == "vae" and (files_of(one), files_of(two)) == (
        {"model.bin": MODEL},
        {"config.json": b"{}"},
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "is not there"), (403, r"asks for a permission \(HTTP 403\)"), (500, "cannot be read: .*500")],
)
def test_a_refusal_of_the_server_is_told(status: int, said: str, server: WeightsServer, cache: Path) -> None:
    server.status = status
    with pytest.raises(WeightsError, match=rf"^vae: http://127\.0\.0\.1:\d+/w/model\.bin {said}"):
        fetched(source(cache, f"{server.url}/w/model.bin?token=geheim"), cache)


def test_a_server_that_is_not_there_is_told(cache: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be read: ClientConnectorError"):
        fetched(source(cache, "http://127.0.0.1:9/model.bin"), cache)


def test_a_secret_in_a_url_is_in_no_message_and_no_file(
    server: WeightsServer, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = server.url.replace("//", "//user:geheim@")
    folder = fetched(source(cache, f"{url}/w/config.json?token=geheim"), cache)
    assert "geheim" not in capsys.readouterr().err
    assert "geheim" not in (folder.parent / "source.json").read_text()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nope://bucket/model.bin", r"nope://bucket/model\.bin cannot be opened: ValueError: Protocol not known: nope"),
        ("gs://bucket/model.bin", r"which needs a package: .*Type: pip install gcsfs"),
    ],
)
def test_a_file_system_that_is_not_installed_says_what_to_type(url: str, said: str, cache: Path) -> None:
    with pytest.raises(WeightsError, match=said):
        fetched(source(cache, url), cache)


def test_a_fetched_folder_that_has_lost_a_file_is_an_error(server: WeightsServer, cache: Path) -> None:
    wanted = source(cache, f"{server.url}/w/model.bin")
    folder = fetched(wanted, cache)
    (folder / "model.bin").write_bytes(MODEL[:5])
    with pytest.raises(WeightsError, match=r"is 5 bytes, and had 1048576 bytes when it was fetched\. Type: rm -r"):
        fetched(wanted, cache)
    (folder / "model.bin").unlink()
    with pytest.raises(WeightsError, match="is missing, and had 1048576 bytes"):
        fetched(wanted, cache)
    (folder.parent / "source.json").unlink()
    with pytest.raises(WeightsError, match="was not put there by a fetch"):
        fetched(wanted, cache)


def test_a_cache_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"cannot be made: Not a directory\. Set XDG_CACHE_HOME"):
        fetched(source(tmp_path, "file"), tmp_path / "file")


def test_a_fetch_without_room_is_not_begun(server: WeightsServer, cache: Path) -> None:
    server.claims_bytes = 10**18
    with pytest.raises(WeightsError, match=r"^vae needs 1e\+09 GB more, and .* are free in .*Set XDG_CACHE_HOME"):
        fetched(source(cache, f"{server.url}/w/model.bin"), cache)
    assert server.gets == []


def test_what_cannot_be_written_is_told_at_once(server: WeightsServer, cache: Path) -> None:
    wanted = source(cache, f"{server.url}/w/model.bin")
    (fetched_folder(wanted, cache).parent / "partial" / "model.bin").mkdir(parents=True)
    with pytest.raises(WeightsError, match=r"model\.bin cannot be written: IsADirectoryError"):
        fetched(wanted, cache)
    assert len(server.gets) == 1


def test_a_file_where_a_folder_is_needed_is_told(server: WeightsServer, cache: Path) -> None:
    wanted = source(cache, {"url": f"{server.url}/w", "files": ["config.json", "config.json/a.bin"]})
    server.files["/w/config.json/a.bin"] = b"a"
    with pytest.raises(WeightsError, match=r"^vae cannot be fetched into .*(File exists|Not a directory)"):
        fetched(wanted, cache)


def test_bytes_beyond_the_end_are_thrown_away(server: WeightsServer, cache: Path) -> None:
    wanted = source(cache, {"url": f"{server.url}/w/model.bin", "sha256": SHA256})
    server.breaks, server.before_cut = [300_000, 0, 0, 0], lambda: come(cache, 200_000)
    with pytest.raises(WeightsError):
        fetched(wanted, cache)
    server.breaks = []
    with (fetched_folder(wanted, cache).parent / "partial" / "model.bin").open("ab") as file:
        file.write(MODEL)
    assert files_of(fetched(wanted, cache)) == {"model.bin": MODEL}


def test_a_file_system_that_cannot_seek_begins_anew(tmp_path: Path, cache: Path) -> None:
    """A real fsspec file system, whose files are streams that once break off."""
    breaks = [True, True]

    class Stream(io.BytesIO):
        def seek(self, *args: Any) -> int:
            raise ValueError("Cannot seek a stream")

        def read(self, size: int | None = -1) -> bytes:
            if self.tell() and breaks and breaks.pop():
                raise ConnectionError("broke off")
            return super().read(1000)

    class Streams(AbstractFileSystem):  # type: ignore[misc]
        protocol = "streams"
        cachable = False

        def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
            return {"name": path, "size": len(MODEL), "type": "file"}

        def open(self, path: str, mode: str = "rb", **kwargs: Any) -> Stream:
            return Stream(MODEL)

    fsspec.register_implementation("streams", Streams, clobber=True)
    assert files_of(fetched(source(tmp_path, "streams://model.bin"), cache)) == {"model.bin": MODEL}
    assert not breaks


FETCH = """
import sys
from pathlib import Path
from reactor_nb.core.weights_fetch import fetch
from reactor_nb.core.weights_source import source_from
source = source_from(Path(), "vae", {"vae": sys.argv[1]})
print(fetch(source, Path(sys.argv[2])))
"""


@pytest.fixture
def other(server: WeightsServer, cache: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is in the middle of fetching model.bin."""
    server.holds_after = 200_000
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", FETCH, f"{server.url}/w/model.bin", str(cache)],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        eventually(lambda: any(path.stat().st_size for path in cache.rglob("model.bin")), timeout_s=15)
        server.holds_after = None
        yield process
        process.kill()


def test_of_two_processes_one_fetches_and_the_other_waits(
    server: WeightsServer, cache: Path, other: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = source(cache, f"{server.url}/w/model.bin")
    found: list[Path] = []
    thread = threading.Thread(target=lambda: found.append(fetched(wanted, cache, stall_s=15)))
    thread.start()
    eventually(lambda: "another process is fetching" in capsys.readouterr().err, timeout_s=5)
    server.gate.set()
    thread.join(15)
    assert other.stdout is not None and other.stdout.read().strip() == str(found[0])
    assert server.gets == [("/w/model.bin", None)] and files_of(found[0]) == {"model.bin": MODEL}


def test_the_fetch_of_a_killed_process_is_taken_over_where_it_was(
    server: WeightsServer, cache: Path, other: subprocess.Popen[str]
) -> None:
    other.kill()
    other.wait(5)
    assert files_of(fetched(source(cache, f"{server.url}/w/model.bin"), cache)) == {"model.bin": MODEL}
    assert first_byte(server.gets[-1]) > 0


def test_a_lock_that_does_not_move_is_given_up(server: WeightsServer, cache: Path) -> None:
    wanted = source(cache, f"{server.url}/w/model.bin")
    folder = fetched_folder(wanted, cache)
    folder.parent.mkdir(parents=True)
    with FileLock(f"{folder.parent}.lock"):
        with pytest.raises(WeightsError, match=r"by another process, which has not moved for 0\.2 s"):
            fetched(wanted, cache, stall_s=0.2)


def test_of_several_threads_one_fetches(server: WeightsServer, cache: Path) -> None:
    wanted = source(cache, f"{server.url}/w/model.bin")
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(fetched(wanted, cache))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [fetched_folder(wanted, cache)] * 4 and len(server.gets) == 1


def test_the_progress_is_told_as_it_comes(
    server: WeightsServer, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.breaks = [524_288]
    fetched(source(cache, f"{server.url}/w/model.bin"), cache)
    err = capsys.readouterr().err
    assert "reactor: vae: fetching model.bin, 1.05 MB from http://127.0.0.1:" in err
    assert "reactor: vae: fetched model.bin, 1.05 MB in " in err
