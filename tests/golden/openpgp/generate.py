"""Make the certificates beside this file anew: ``python tests/golden/openpgp/generate.py`` (needs gpg 2.2 or later).

Keys are drawn afresh, so fingerprints change; what ``test_openpgp_certificate.py`` expects does not. Not needed by the
tests. ``v6.asc`` is not made here: it is the sample certificate of RFC 9580, appendix A.3.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CASES = {
    # name: user id, algorithm of key and subkey, end, moment of making, more options
    "v4": ("XA-CERT <cert@xa.example>", "ed25519/cv25519", "0", "20240101T000000!", ()),
    "rsa2048": ("XA-CERT <cert@xa.example>", "rsa2048", "0", "20240101T000000!", ()),
    "rsa1024": ("XA-CERT <cert@xa.example>", "rsa1024", "0", "20240101T000000!", ()),
    "sha1": ("XA-CERT <cert@xa.example>", "rsa3072", "0", "20150101T000000!", ("--cert-digest-algo", "SHA1")),
    "dsa": ("XA-CERT <cert@xa.example>", "dsa2048", "0", "20150101T000000!", ()),
    "expired": ("XA-CERT <cert@xa.example>", "ed25519/cv25519", "20210101T000000", "20200101T000000!", ()),
    "expires_soon": ("XA-CERT <cert@xa.example>", "ed25519/cv25519", "20260401T000000", "20250101T000000!", ()),
    "revoked": ("XA-CERT <cert@xa.example>", "ed25519/cv25519", "0", "20240101T000000!", ()),
    "wrong_address": ("Somebody <somebody@xe.example>", "ed25519/cv25519", "0", "20240101T000000!", ()),
    "persian": ("تیم\u200cها <cert@xa.example>", "ed25519/cv25519", "0", "20240101T000000!", ()),
}


def gpg(home: str, *arguments: str, input: str = "") -> bytes:
    command = ["gpg", "-q", "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", "", *arguments]
    environment = os.environ | {"GNUPGHOME": home}
    return subprocess.run(command, env=environment, check=True, capture_output=True, input=input.encode()).stdout


def make(name: str) -> None:
    user_id, algorithms, expiry, moment, options = CASES[name]
    primary, _slash, subkey = algorithms.partition("/")
    with tempfile.TemporaryDirectory(prefix="g") as home:
        at = ("--faked-system-time", moment)
        usage = "cert,sign"
        gpg(home, *at, *options, "--quick-gen-key", user_id, primary, usage, expiry)
        listed = gpg(home, "--with-colons", "--list-keys").decode()
        fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))
        if subkey or primary.startswith("rsa"):
            gpg(home, *at, *options, "--quick-add-key", fingerprint, subkey or primary, "encr", "0")
        if name == "revoked":
            written = (Path(home) / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
            gpg(home, *at, "--import", input=written.replace(":-----BEGIN", "-----BEGIN"))
        if name == "v4":
            (HERE / "secret.asc").write_bytes(gpg(home, "--armor", "--export-secret-keys", fingerprint))
        (HERE / f"{name}.asc").write_bytes(gpg(home, "--armor", "--export", fingerprint))
        subprocess.run(["gpgconf", "--kill", "all"], env=os.environ | {"GNUPGHOME": home}, check=True)


if __name__ == "__main__":
    for case in CASES:
        make(case)
