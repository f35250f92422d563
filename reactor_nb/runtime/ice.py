"""Which ICE servers pages and kernel may ask, read from the environment or a file, and who may know their secrets.

A credential of a TURN server is worth money to whoever finds it. It goes to the media, and to a page that found no
other way and asked; never into a trait (which a notebook saves), the greeting of a page, a log, a count or an error.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reactor_nb.errors import ConfigError
from reactor_nb.transport.ice_url import IceUrl, parse_ice_url

SERVERS: Final = "REACTOR_NB_ICE_SERVERS"
"""JSON of RTCConfiguration: its iceServers, or an object that has them."""
FILE: Final = "REACTOR_NB_ICE_FILE"
"""A file with the same; by default ice_servers.json in the user's configuration folder, if it is there."""

EXAMPLE: Final = '[{"urls": "turn:turn.example.org:3478", "username": "u", "credential": "p"}]'


@dataclass(frozen=True, slots=True)
class IceServers:
    """The servers of RTCConfiguration, those that need a secret apart. The secrets stand in no `repr`.

    `open` and `relays` are dictionaries of RTCIceServer: `urls` (a list), and of a relay `username`, `credential`.
    `source` names the variable or file that they come from. `warning`: what is wrong with it, else "".
    """

    open: tuple[dict[str, Any], ...] = ()
    relays: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    source: str = ""
    warning: str = ""

    @property
    def all(self) -> tuple[dict[str, Any], ...]:
        return (*self.relays, *self.open)

    def urls(self) -> list[IceUrl]:
        """Every address, without secrets."""
        return [parsed for server in self.all for parsed in map(parse_ice_url, server["urls"]) if parsed is not None]


def read_ice_servers() -> IceServers:
    """What the environment or the file says now; no server at all by default.

    Raises:
        ConfigError: it cannot be used. The message quotes nothing of what stands there but its addresses.
    """
    text = os.environ.get(SERVERS, "").strip()
    if text:
        return _servers(text, SERVERS, f"Set: {SERVERS}='{EXAMPLE}'")
    named = os.environ.get(FILE, "").strip()
    path = Path(named).expanduser() if named else default_file()
    source = f"{FILE}={named}" if named else str(path)
    mend = f"Write into {path}: {EXAMPLE}"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if named:
            raise ConfigError(f"{source}: there is no such file. {mend}") from None
        return IceServers()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigError(f"{source} cannot be read: {why}. {mend}") from None
    found = _servers(text, source, mend)
    exposure = _exposure(path) if found.relays else ""
    return IceServers(found.open, found.relays, source, "\n".join(filter(None, (exposure, found.warning))))


def default_file() -> Path:
    """Where the servers of this user stand, if anywhere."""
    from platformdirs import user_config_path

    return user_config_path("reactor-nb", appauthor=False) / "ice_servers.json"


def _servers(text: str, source: str, mend: str) -> IceServers:
    try:
        given = json.loads(text)
    except ValueError as broken:
        # Of json's errors only the message and the position: the document holds secrets.
        where = f"line {broken.lineno}, column {broken.colno}" if isinstance(broken, json.JSONDecodeError) else "it"
        raise ConfigError(f"{source} is not JSON: {where} cannot be read. {mend}") from None
    listed = given.get("iceServers") if isinstance(given, dict) else given
    if not isinstance(listed, list):
        came = "an object without iceServers" if isinstance(given, dict) else f"{type(given).__name__}"
        raise ConfigError(f"{source} holds {came}; it needs a list of servers, or an object with iceServers. {mend}")
    open_servers: list[dict[str, Any]] = []
    relays: list[dict[str, Any]] = []
    for number, server in enumerate(listed, 1):
        for checked in _checked(server, f"{source}, server {number}", mend):
            (relays if "credential" in checked else open_servers).append(checked)
    unused = sorted(given.keys() - {"iceServers"}) if isinstance(given, dict) else []
    warning = f"{source}: {', '.join(map(str, unused))} is not used, iceServers alone is" if unused else ""
    return IceServers(tuple(open_servers), tuple(relays), source, warning)


def _checked(server: object, where: str, mend: str) -> Iterator[dict[str, Any]]:
    """A server as RTCIceServer takes it, its STUN addresses apart from its relays."""
    if not isinstance(server, Mapping) or "urls" not in server:
        raise ConfigError(f"{where} has no `urls`. {mend}")
    urls = [server["urls"]] if isinstance(server["urls"], str) else server["urls"]
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise ConfigError(f"{where}: `urls` is an address or a list of them. {mend}")
    parsed = [(url, parse_ice_url(url)) for url in urls]
    for position, (url, found) in enumerate(parsed, 1):
        if found is None:
            # An address with a user and password in it is such a mistake, and is not to be shown.
            shown = f"address {position}" if "@" in url else repr(url)
            raise ConfigError(
                f"{where}: {shown} is no ICE address. It is stun:HOST, turn:HOST:3478, turn:HOST:3478?transport=tcp "
                f"or turns:HOST:5349, and its user and password stand beside it. {mend}"
            )
    stuns = [url for url, found in parsed if found is not None and not found.is_relay]
    turns = [url for url, found in parsed if found is not None and found.is_relay]
    if stuns:
        yield {"urls": stuns}
    if turns:
        secrets = {key: server.get(key) for key in ("username", "credential")}
        lacks = [key for key, value in secrets.items() if not isinstance(value, str) or not value]
        if lacks:
            raise ConfigError(f"{where}: {turns[0]} needs `{'` and `'.join(lacks)}`. {mend}")
        if server.get("credentialType", "password") != "password":
            raise ConfigError(f"{where}: {turns[0]} has a credentialType that is not password. {mend}")
        yield {"urls": turns, **secrets}


def _exposure(path: Path) -> str:
    """What to say of a file whose secrets others of the machine can read."""
    if os.name != "posix" or not path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return ""
    return f"{path} holds a credential that other users of this machine can read. Type: chmod 600 {path}"
