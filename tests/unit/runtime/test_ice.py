"""ICE servers as they are written, and where their secrets stand."""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reactor_nb.errors import ConfigError
from reactor_nb.runtime import ice
from reactor_nb.runtime.ice import FILE, SERVERS, read_ice_servers

SECRET = "hunter2-of-the-relay"
TURN = {"urls": "turn:turn.example.org:3478", "username": "u", "credential": SECRET}
STUN = {"urls": ["stun:stun.example.org"]}


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(SERVERS, raising=False)
    monkeypatch.delenv(FILE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def said(monkeypatch: pytest.MonkeyPatch, value: Any) -> ice.IceServers:
    monkeypatch.setenv(SERVERS, value if isinstance(value, str) else json.dumps(value))
    return read_ice_servers()


def test_no_server_is_asked_by_default() -> None:
    assert read_ice_servers() == ice.IceServers()
    assert read_ice_servers().all == ()


@pytest.mark.parametrize("written", [[TURN, STUN], {"iceServers": [TURN, STUN], "bundlePolicy": "max-bundle"}])
def test_a_list_and_a_whole_rtcconfiguration_are_read(monkeypatch: pytest.MonkeyPatch, written: Any) -> None:
    found = said(monkeypatch, written)
    assert found.open == ({"urls": ["stun:stun.example.org"]},)
    assert found.relays == ({"urls": ["turn:turn.example.org:3478"], "username": "u", "credential": SECRET},)
    assert found.source == SERVERS


def test_stun_addresses_beside_relays_need_no_secret_and_get_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found = said(monkeypatch, [{**TURN, "urls": ["stun:a.example", "turns:a.example?transport=tcp"]}])
    assert found.open == ({"urls": ["stun:a.example"]},)
    assert found.relays[0]["urls"] == ["turns:a.example?transport=tcp"]


def test_the_addresses_are_told_with_ports_and_roads(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ["turn:h", "turn:h:80?transport=tcp", "turns:h", "TURN:[2001:db8::1]:99"]
    found = said(monkeypatch, [{**TURN, "urls": urls}, STUN])
    assert [str(url) for url in found.urls()] == [
        "turn:h:3478 over udp",
        "turn:h:80 over tcp",
        "turns:h:5349 over tls",
        "turn:[2001:db8::1]:99 over udp",
        "stun:stun.example.org:3478",
    ]


def test_no_secret_stands_in_what_is_printed_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = said(monkeypatch, [TURN])
    assert SECRET in json.dumps(found.all)
    assert SECRET not in f"{found!r} {found} {found.urls()} {found.source} {found.warning}"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (f'[{{"credential": "{SECRET}"', "REACTOR_NB_ICE_SERVERS is not JSON: line 1, column"),
        ("3", "holds int; it needs a list of servers"),
        ({"servers": [TURN]}, "holds an object without iceServers"),
        ([{"url": "turn:h", "credential": SECRET}], "server 1 has no `urls`"),
        ([STUN, {**TURN, "urls": []}], "server 2: `urls` is an address or a list of them"),
        ([{**TURN, "urls": "https://h"}], "'https://h' is no ICE address"),
        ([{**TURN, "urls": f"turn:u:{SECRET}@h"}], "server 1: address 1 is no ICE address"),
        ([{**TURN, "urls": "turn:h:99999"}], "'turn:h:99999' is no ICE address"),
        ([{"urls": "turn:h", "credential": SECRET}], "turn:h needs `username`"),
        ([{"urls": "turn:h"}], "turn:h needs `username` and `credential`"),
        ([{**TURN, "credential": {"kid": SECRET}}], "needs `credential`"),
        ([{**TURN, "credentialType": "oauth"}], "credentialType that is not password"),
    ],
)
def test_what_cannot_be_used_is_refused_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, written: Any, told: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        said(monkeypatch, written)
    assert told in str(refused.value)
    assert "Set: REACTOR_NB_ICE_SERVERS='[{" in str(refused.value)
    assert SECRET not in str(refused.value)
    assert SECRET not in "".join(traceback.format_exception(refused.value)).replace(str(written), "")


def _objects(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from(["urls", "username", "credential", "iceServers", "credentialType"])
    return st.dictionaries(keys, of | st.sampled_from(["turn:h", "stun:h", "u"]))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda of: st.lists(of) | _objects(of)))
def test_whatever_json_stands_there_is_read_or_refused(value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        try:
            patch.setenv(SERVERS, json.dumps(value))
            found = read_ice_servers()
        except ConfigError:
            return
    assert all(server["urls"] for server in found.all)


def test_a_file_of_the_user_is_read_where_the_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ice.default_file()
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([TURN]))
    path.chmod(0o600)
    found = read_ice_servers()
    assert len(found.relays) == 1
    assert (found.source, found.warning) == (str(path), "")
    assert said(monkeypatch, [STUN]).relays == ()


def test_another_file_may_be_named_and_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "servers.json"
    monkeypatch.setenv(FILE, str(path))
    with pytest.raises(
        ConfigError, match=r"REACTOR_NB_ICE_FILE=.*there is no such file. Write into .*servers.json: \["
    ):
        read_ice_servers()
    path.write_text(json.dumps({"iceServers": [STUN]}))
    assert read_ice_servers().open == (STUN,)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="cannot be read: it is no UTF-8 text"):
        read_ice_servers()


@pytest.mark.skipif(os.name != "posix", reason="file permissions of POSIX")
def test_a_file_with_a_secret_that_others_can_read_is_told_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "servers.json"
    path.write_text(json.dumps([TURN]))
    path.chmod(0o644)
    monkeypatch.setenv(FILE, str(path))
    warning = read_ice_servers().warning
    assert warning == f"{path} holds a credential that other users of this machine can read. Type: chmod 600 {path}"
    path.write_text(json.dumps([STUN]))
    assert read_ice_servers().warning == "", "nothing in it is secret"
