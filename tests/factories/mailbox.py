"""A mailbox on real servers: aiosmtpd takes mails on loopback, Dovecot serves them by IMAP, both from one Maildir.

Dovecot runs as an ordinary user, from a folder of its own, beside any that the machine may have.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

USER, PASSWORD = "exchange@xb-cert.example", 'pass "wörd" \\ +%'
_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_username_chars =
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:{folder}/Maildir
imap_capability = {capability}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""


@dataclass
class Server:
    """Where mails for one mailbox are handed in and where they are fetched.

    Attributes:
        certificate: to be trusted (``SSL_CERT_FILE``); of the host ``localhost``.
        smtp_port: takes mails to anybody, without encryption.
    """

    folder: Path
    smtp_port: int
    plain_port: int
    tls_port: int
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    def names(self, folder: str = "") -> list[str]:
        """The files of a folder's mails; ``""`` is the inbox."""
        place = self.folder / "Maildir" / (f".{folder}" if folder else "")
        return sorted(path.name for part in ("new", "cur") for path in (place / part).glob("*"))

    def deliver(self, raw: bytes) -> None:
        """Into the inbox, as a mail server does it: written beside, then renamed."""
        inbox = self.folder / "Maildir"
        name = f"{time.time_ns()}.{next(self._numbers)}.mx"
        beside = inbox / "tmp" / name
        beside.write_bytes(raw)
        _owned(beside)
        beside.rename(inbox / "new" / name)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.deliver(envelope.content)
        return "250 OK"

    def renumber(self) -> None:
        """Have the server forget which mail had which number: a mailbox that was restored or moved."""
        for index in (self.folder / "Maildir").glob("dovecot*"):
            index.unlink()

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


def program() -> str | None:
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def serving(*, capability: str = "", mechanisms: str = "plain login") -> Iterator[Server | None]:
    """Both servers, until the end; None where Dovecot is not installed.

    Args:
        capability: what the server says that it can, in place of what it does say.
    """
    dovecot = program()
    if dovecot is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="tansiq-mailbox-"))  # a short path, as sockets need, that others may enter
    smtp_port, plain_port, tls_port = _ports(3)
    server = Server(folder, smtp_port, plain_port, tls_port)
    _prepare(server, capability, mechanisms)
    controller = Controller(server, hostname="127.0.0.1", port=smtp_port, ready_timeout=30)
    controller.start()
    command = [dovecot, "-F", "-c", str(folder / "dovecot.conf")]
    owner = _owner()
    as_user = {"user": owner, "group": _group(), "extra_groups": []} if os.geteuid() == 0 else {}
    process = subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **as_user)  # type: ignore[call-overload]
    try:
        _wait(server, process)
        yield server
    finally:
        process.terminate()
        process.communicate(timeout=30)
        controller.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(server: Server, capability: str, mechanisms: str) -> None:
    folder = server.folder
    for name in ("run", "state", "home", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
        (folder / name).mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", server.certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n", encoding="utf-8")
    (folder / "log").touch()
    configuration = _CONFIGURATION.format(
        folder=folder, user=_owner(), group=_group(), capability=capability, mechanisms=mechanisms,
        plain_port=server.plain_port, tls_port=server.tls_port,
    )  # fmt: skip
    (folder / "dovecot.conf").write_text(configuration)
    for path in (folder, *folder.rglob("*")):
        _owned(path)


def _owner() -> str:
    return "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _group() -> str:
    return grp.getgrgid(pwd.getpwnam(_owner()).pw_gid).gr_name


def _owned(path: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, _owner(), _group())


def _ports(wanted: int) -> list[int]:
    probes = [socket.socket() for _ in range(wanted)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Until it greets. Raises: RuntimeError, with what it said, if it does not."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", server.plain_port), timeout=5) as connection:
                if connection.recv(4) == b"* OK":
                    return
        except OSError:
            pass
        time.sleep(0.05)
    process.terminate()
    raise RuntimeError(f"Dovecot did not start: {process.communicate()[1].decode()} {server.log()}")
