"""A real TURN server: Debian's coturn, here or in a namespace, with a certificate to try TLS."""

from __future__ import annotations

import datetime
import ipaddress
import os
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.support.eventually import eventually

PORT, TLS_PORT = 3478, 5349
START_TIMEOUT_S = 10.0
_RELAYED = re.compile(r"peer usage: realm=<[^>]*>, username=<[^>]*>, rp=(\d+), rb=(\d+), sp=(\d+), sb=(\d+)")

CommandLine = Callable[..., list[str]]


def why_no_turn() -> str:
    """Empty where coturn and what makes Chromium trust it are installed, else what to type."""
    for command, package in (("turnserver", "coturn"), ("certutil", "libnss3-tools")):
        if shutil.which(command) is None:
            return f"no `{command}` on PATH; type: apt-get install {package}"
    return ""


class TurnServer:
    """Relays what those who know `username` and `credential` send to it, until close().

    Args:
        folder: an empty folder of its own, for its log, its database and its certificate.
        address: where it listens and relays.
        roads: of "udp", "tcp" and "tls" those on which it may be reached.
        command: what makes a command line run elsewhere, such as Namespace.command; here by default.
        port, tls_port: by default free ones of this machine; in a namespace of its own give PORT and TLS_PORT.
    Threads: the one that made it.
    """

    def __init__(
        self,
        folder: Path,
        address: str = "127.0.0.1",
        *,
        roads: Sequence[str] = ("udp", "tcp", "tls"),
        command: CommandLine = lambda *argv: list(argv),
        port: int = 0,
        tls_port: int = 0,
    ) -> None:
        self.address = address
        self.roads = tuple(roads)
        self.port = port or _free_port(address, PORT)
        self.tls_port = tls_port or _free_port(address, TLS_PORT)
        self.username = "viewer"
        self.credential = f"secret-{secrets.token_hex(8)}"
        self.authority = Authority(folder)
        self._log = folder / "turn.log"
        certificate, key = self.authority.certify(address)
        allowed = [f"--no-{road}" for road in ("udp", "tcp") if road not in roads]
        if "tls" not in roads:
            allowed.append("--no-tls")
        elif "tcp" not in roads:
            # coturn's TLS listener is one of TCP, which takes plain TCP as well.
            allowed.remove("--no-tcp")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command(
                    "turnserver",
                    *("-n", "--no-cli", "--lt-cred-mech", "--fingerprint", "--verbose", "--no-dtls"),
                    *("-m", "1", "--log-file=stdout", "--simple-log", "--allow-loopback-peers"),
                    *(f"--listening-ip={address}", f"--relay-ip={address}"),
                    *(f"--listening-port={self.port}", f"--tls-listening-port={self.tls_port}"),
                    *("--realm=test", f"--user={self.username}:{self.credential}"),
                    *(f"--userdb={folder / 'turn.db'}", f"--pidfile={folder / 'turn.pid'}"),
                    *(f"--cert={certificate}", f"--pkey={key}"),
                    *allowed,
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
        try:
            eventually(self._is_ready, START_TIMEOUT_S, interval_s=0.02)
        except AssertionError:
            self.close()
            raise RuntimeError(f"coturn did not start:\n{self.log()}") from None

    def urls(self, *roads: str) -> list[str]:
        """Its addresses on these roads, or on all."""
        known = {
            "udp": f"turn:{self.address}:{self.port}?transport=udp",
            "tcp": f"turn:{self.address}:{self.port}?transport=tcp",
            "tls": f"turns:{self.address}:{self.tls_port}?transport=tcp",
        }
        return [known[road] for road in roads or self.roads]

    def ice_servers(self, *roads: str) -> list[dict[str, Any]]:
        """As RTCConfiguration takes them, secrets included."""
        return [{"urls": self.urls(*roads), "username": self.username, "credential": self.credential}]

    def allocations(self) -> int:
        """How many relays were given out so far."""
        return self.log().count("ALLOCATE processed, success")

    def relayed_bytes(self) -> int:
        """Bytes to and from peers, as told so far: coturn writes them every few seconds and at a relay's end."""
        return sum(int(found[2]) + int(found[4]) for found in _RELAYED.finditer(self.log()))

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        """Idempotent."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(5.0)

    def _is_ready(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError("coturn has ended")
        return "admin thread" in self.log()


class Authority:
    """A certificate authority that nobody trusts but who is told to. Its files lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / "authority.pem"
        self._certificate = _certificate("reactor_nb test authority", self._key.public_key(), None, self._key)
        self.file.write_bytes(_pem(self._certificate))

    def trusting_environment(self, home: Path) -> dict[str, str]:
        """The environment of a Chromium that trusts this authority: a home whose certificate store has it.

        Chromium looks there on Linux, for TURN over TLS as well; `certutil` is of Debian's libnss3-tools.
        """
        store = home / ".pki" / "nssdb"
        store.mkdir(parents=True)
        for arguments in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "test", "-i", str(self.file)]):
            subprocess.run(["certutil", "-d", f"sql:{store}", *arguments], check=True, timeout=30, capture_output=True)
        return {**os.environ, "HOME": str(home)}

    def certify(self, address: str) -> tuple[Path, Path]:
        """The files of a certificate for one address, and of its key."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(address, key.public_key(), self._certificate, self._key)
        files = self._folder / "turn.pem", self._folder / "turn.key"
        files[0].write_bytes(_pem(certificate))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def _certificate(name: str, key: Any, issuer: Any, issuer_key: Any) -> Any:
    """Of an authority where there is no `issuer`, else of the server at the address `name`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
        made = made.add_extension(names, critical=False)
    return made.sign(issuer_key, hashes.SHA256())


def _pem(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    pem: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return pem


def _free_port(address: str, otherwise: int) -> int:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return otherwise  # an address of a namespace, where nobody else listens
        return int(probe.getsockname()[1])
