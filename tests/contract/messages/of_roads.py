"""Mistakes in what is said of the roads to a page: carriers and ICE servers."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

from reactor_nb.errors import ConfigError
from reactor_nb.runtime.carriers import chosen_carrier
from reactor_nb.runtime.ice import FILE, SERVERS, read_ice_servers
from tests.contract.messages.case import Cases

CASES = Cases()
answered = CASES.answered

_SET = 'Set: REACTOR_NB_ICE_SERVERS=\'[{"urls": "turn:turn.example.org:3478", "username": "u", "credential": "p"}]\''


def servers(text: str) -> object:
    with patch.dict(os.environ, {SERVERS: text}):
        return read_ice_servers()


@answered(ConfigError, "carrier is 'webrct'; it is auto, webrtc, comm or jpeg. Type: %reactor run --carrier webrtc")
def a_carrier_that_is_none(folder: Path) -> object:
    return chosen_carrier("webrct")


@answered(ConfigError, f"REACTOR_NB_ICE_SERVERS is not JSON: line 1, column 2 cannot be read. {_SET}")
def ice_servers_that_are_no_json(folder: Path) -> object:
    return servers("[turn:turn.example.org]")


@answered(
    ConfigError,
    "REACTOR_NB_ICE_SERVERS holds str; it needs a list of servers, or an object with iceServers. " + _SET,
)
def ice_servers_that_are_an_address_alone(folder: Path) -> object:
    return servers('"turn:turn.example.org"')


@answered(ConfigError, f"REACTOR_NB_ICE_SERVERS, server 1: turn:turn.example.org needs `credential`. {_SET}")
def a_relay_without_a_password(folder: Path) -> object:
    return servers('[{"urls": "turn:turn.example.org", "username": "u"}]')


@answered(
    ConfigError,
    "REACTOR_NB_ICE_SERVERS, server 1: address 1 is no ICE address. It is stun:HOST, turn:HOST:3478, "
    "turn:HOST:3478?transport=tcp or turns:HOST:5349, and its user and password stand beside it. " + _SET,
)
def a_relay_with_its_password_in_its_address(folder: Path) -> object:
    return servers('[{"urls": "turn:u:p@turn.example.org"}]')


@answered(
    ConfigError,
    "REACTOR_NB_ICE_FILE=FOLDER/ice.json: there is no such file. Write into FOLDER/ice.json: "
    '[{"urls": "turn:turn.example.org:3478", "username": "u", "credential": "p"}]',
)
def a_file_of_ice_servers_that_is_not_there(folder: Path) -> object:
    with patch.dict(os.environ, {FILE: str(folder / "ice.json"), SERVERS: ""}):
        return read_ice_servers()
