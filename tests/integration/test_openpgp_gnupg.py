"""GnuPG and we: what one makes the other reads, and both read the same of a certificate."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tansiq.openpgp import sealing
from tansiq.openpgp.certificate import inspect
from tansiq.openpgp.sealing import NotOpened, Secret

GOLDEN = Path(__file__).parents[1] / "golden" / "openpgp"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ["v4", "persian", "rsa2048", "rsa1024", "sha1", "dsa", "expired", "expires_soon", "revoked", "wrong_address"]
Gpg = Callable[..., bytes]

pytestmark = pytest.mark.skipif(not shutil.which("gpg"), reason="GnuPG is not installed")


@pytest.fixture
def gpg() -> Iterator[Gpg]:
    """GnuPG with a folder of its own, that holds the golden secret key."""
    with tempfile.TemporaryDirectory(prefix="g", ignore_cleanup_errors=True) as home:
        environment = os.environ | {"GNUPGHOME": home}

        def gpg(*arguments: str, input: bytes = b"") -> bytes:
            command = ["gpg", "-q", "--batch", "--pinentry-mode", "loopback", *arguments]
            return subprocess.run(command, env=environment, input=input, check=True, capture_output=True).stdout

        gpg("--import", str(GOLDEN / "secret.asc"))
        yield gpg
        subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=True)


def seconds(moment: datetime | None) -> str:
    return str(int(moment.timestamp())) if moment else ""


def bits(ours: int) -> str:
    """GnuPG gives Curve25519 the 255 bits of its prime, and everybody else the 256 of its numbers."""
    return "255" if ours == 256 else str(ours)


@pytest.mark.parametrize("name", NAMES)
def test_inspect_reads_the_same_as_gnupg(gpg: Gpg, name: str) -> None:
    found = inspect((GOLDEN / f"{name}.asc").read_bytes(), now=NOW)

    shown = gpg("--show-keys", "--with-colons", str(GOLDEN / f"{name}.asc")).decode()

    fields = [line.split(":") for line in shown.splitlines()]
    keys = [field for field in fields if field[0] in ("pub", "sub")]
    fingerprints = [field[9] for field in fields if field[0] == "fpr"]
    assert [(key.fingerprint, bits(key.bits), seconds(key.created_at)) for key in found.keys] == [
        (fingerprint, key[2], key[5]) for fingerprint, key in zip(fingerprints, keys, strict=True)
    ]
    assert (seconds(found.expires_at), found.revoked) == (keys[0][6], keys[0][1] == "r")
    assert list(found.user_ids) == [field[9] for field in fields if field[0] == "uid"]


def test_message_of_ours_opens_in_gnupg_and_its_answer_here(gpg: Gpg) -> None:
    ours = sealing.generate("XF <cert@xf.example>", version=4)
    theirs = Secret.read((GOLDEN / "secret.asc").read_bytes())
    gpg("--import", input=ours.certificate)

    read = gpg("--decrypt", input=sealing.encrypt(b"query", to=[theirs.certificate], signed_by=ours))
    to = ("--trust-model", "always", "--compress-algo", "none", "-u", theirs.fingerprint, "-r", ours.fingerprint)
    answer = gpg("--encrypt", "--sign", *to, input=b"answer")

    assert read == b"query"
    assert sealing.decrypt(answer, by=ours, signers=[theirs.certificate]) == sealing.Opened(
        b"answer", theirs.fingerprint
    )


def test_message_that_gnupg_signed_and_compressed_is_refused_where_a_signer_is_asked_for(gpg: Gpg) -> None:
    ours = sealing.generate("XF <cert@xf.example>", version=4)
    theirs = Secret.read((GOLDEN / "secret.asc").read_bytes())
    gpg("--import", input=ours.certificate)

    to = ("--trust-model", "always", "-u", theirs.fingerprint, "-r", ours.fingerprint)
    answer = gpg("--encrypt", "--sign", *to, input=b"answer")

    assert sealing.decrypt(answer, by=ours, signers=None).content == b"answer"
    with pytest.raises(NotOpened):
        sealing.decrypt(answer, by=ours, signers=[theirs.certificate])


def test_signature_of_ours_verifies_in_gnupg_and_theirs_here(gpg: Gpg, tmp_path: Path) -> None:
    ours = sealing.generate("XF <cert@xf.example>", version=4)
    theirs = Secret.read((GOLDEN / "secret.asc").read_bytes())
    gpg("--import", input=ours.certificate)
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "data.sig").write_bytes(sealing.sign_detached(b"data", by=ours))

    status = gpg("--status-fd", "1", "--verify", str(tmp_path / "data.sig"), str(tmp_path / "data")).decode(
        "utf-8", "replace"
    )
    signature = gpg("--detach-sign", "-u", theirs.fingerprint, input=b"data")

    valid = next(line.split() for line in status.splitlines() if line.startswith("[GNUPG:] VALIDSIG"))
    assert valid[-1] == ours.fingerprint
    assert sealing.verify_detached(b"data", signature, signers=[theirs.certificate]) == theirs.fingerprint
