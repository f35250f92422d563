"""weights.yaml: what it may say, and what an entry that cannot be read is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactor_nb.core.weights_source import FILE_NAME, WeightsSource, read_sources, source_from
from reactor_nb.errors import WeightsError

SUM = "0123456789abcdef" * 4


def read(folder: Path, text: str, name: str = "vae") -> WeightsSource | None:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    return source_from(folder, name, read_sources(folder))


def test_without_the_file_or_the_name_there_is_no_source(tmp_path: Path) -> None:
    assert source_from(tmp_path, "vae", read_sources(tmp_path)) is None
    assert read(tmp_path, "clip: https://example.org/clip.bin") is None
    assert read(tmp_path, "") is None


def test_a_url_alone_is_enough(tmp_path: Path) -> None:
    assert read(tmp_path, "vae: s3://bucket/vae") == WeightsSource("vae", "s3://bucket/vae")


def test_a_bucket_is_a_folder_too(tmp_path: Path) -> None:
    assert read(tmp_path, "vae: s3://bucket") == WeightsSource("vae", "s3://bucket")


def test_a_checksum_names_the_one_file(tmp_path: Path) -> None:
    found = read(tmp_path, f"vae:\n  url: https://example.org/a%20b.bin?download=1\n  sha256: sha256:{SUM.upper()}")
    assert found is not None and found.is_one_file and found.sums == {"a b.bin": SUM}


def test_files_may_have_checksums_and_options_go_to_the_file_system(tmp_path: Path) -> None:
    found = read(
        tmp_path, f"vae:\n  url: s3://b/vae\n  files:\n    a.json:\n    u/b.bin: {SUM}\n  options: {{anon: true}}"
    )
    assert found is not None
    assert (found.sums, found.options) == ({"a.json": None, "u/b.bin": SUM}, {"anon": True})


def test_a_path_starts_in_the_folder_of_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(tmp_path, "vae: ../shared/vae/")
    assert found is not None and found.url == f"{(tmp_path / '../shared/vae').as_posix()}/"
    monkeypatch.setenv("HOME", "/home/me")
    found = read(tmp_path, "vae: ~/vae.bin")
    assert found is not None and found.url == "/home/me/vae.bin"


def test_a_variable_of_the_environment_is_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", "mine")
    found = read(tmp_path, "vae: s3://${oc.env:BUCKET}/vae")
    assert found is not None and found.url == "s3://mine/vae"


def test_equal_checksums_make_equal_keys_wherever_they_come_from() -> None:
    here, there = (WeightsSource("vae", url, {"a": SUM}) for url in ("https://here/a", "https://there/a"))
    assert here.key == there.key
    here, there = (WeightsSource("vae", url, {"a": None}) for url in ("https://here/a", "https://there/a"))
    assert here.key != there.key


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host/a.bin?token=x#y", "https://host/a.bin"),
        ("zip://a.bin::https://me:pw@host/all.zip", "zip://a.bin::https://host/all.zip"),
        ("/data/what?/a.bin", "/data/what?/a.bin"),
        ("hf://org/repo@main", "hf://org/repo@main"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert WeightsSource("vae", url).shown_url == shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vae: [1", r"weights\.yaml cannot be read: .*line 1, column 6.* It needs YAML, such as\nmy-weights: https://"),
        ("vae: ${oc.env:NOT_SET_ANYWHERE}", "cannot be read: .*NOT_SET_ANYWHERE"),
        ("- vae", r"weights\.yaml holds a list; it needs names and URLs"),
        ("vae: 3", r"weights\.yaml: vae is 3; it needs a URL, such as"),
        ("vae: [a]", r"vae is a list; it needs a URL"),
        ("vae:", r"vae is nothing; it needs a URL"),
        ("vae: {uri: x}", "has the key 'uri'; it may have url, sha256, files, options"),
        ("vae: {sha256: x}", "has no url, or nothing for one"),
        ("vae: {url: 3}", "has no url, or 3 for one"),
        (f"vae: {{url: https://h/a, sha256: {SUM}, files: [b]}}", "has sha256, which is for one file, and files"),
        (f"vae: {{url: https://h/a/, sha256: {SUM}}}", "has sha256, which is for one file, and a url of a folder"),
        ("vae: {url: https://h/a, sha256: abc}", "has the SHA-256 'abc'; it needs 64 hexadecimal digits, in quotes"),
        (f"vae: {{url: https://h/a, sha256: {'1' * 64}}}", "it needs 64 hexadecimal digits, in quotes"),
        ("vae: {url: https://h/a, files: {a: 3}}", r"vae\.files\.a has the SHA-256 3"),
        ("vae: {url: https://h/a, files: b}", r"vae\.files is 'b'; it needs file names: files: \["),
        ("vae: {url: https://h/a, files: []}", r"vae\.files is empty; it needs file names"),
        ("vae: {url: https://h/a, files: [../b]}", r"vae\.files: '\.\./b' is no path of a file in a weight folder"),
        ("vae: {url: https://h/a, files: [/etc/passwd]}", "'/etc/passwd' is no path of a file"),
        ('vae: {url: https://h/a, files: ["C:b"]}', "'C:b' is no path of a file"),
        (r"vae: {url: https://h/a, files: ['..\b']}", "is no path of a file"),
        ("vae: {url: https://h/a, options: x}", r"vae\.options is 'x'; it needs keys and values"),
        (f"vae: {{url: 'https://h/..', sha256: {SUM}}}", r"'\.\.' is no path of a file"),
        (f"vae: {{url: 'https://h', sha256: {SUM}}}", r"'' is no path of a file"),
    ],
)
def test_what_cannot_be_a_source_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=said):
        read(tmp_path, text)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"vae: \xff")
    with pytest.raises(WeightsError, match=r"cannot be read: .*can't decode"):
        source_from(tmp_path, "vae", read_sources(tmp_path))
