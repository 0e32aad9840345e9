"""Hostile mails and files for minutes: random changes of honest ones.

``TANSIQ_FUZZ_SECONDS`` and ``TANSIQ_FUZZ_SEED`` change how long and from where; the counts are printed (``pytest -s``).
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tansiq.exchange import bundle, file, mail
from tansiq.exchange.body import Lane
from tansiq.exchange.bundle import UnreadableFile
from tansiq.exchange.parts import Chunk, ForNode, Header, RosterText

AT = datetime(2026, 11, 22, tzinfo=UTC)
HEADER = Header.of(realm="live", sender="XA", made_at=AT, to=("XB", "XC"))
TOKENS = [
    b"PK\3\4", b"PK\1\2", b"PK\5\6", b"XB/bulk/1.pgp", b"../", b"\xff\xff\xff\xff", b"\0\0\0\0", b"tansiq.json",
    b"\n", b"\r\n", b"\n\n", b"--=_", b"--", b"=", b"====", b"Content-Type: multipart/mixed; boundary=a\n\n--a\n",
    b"Content-Transfer-Encoding: base64\n", b"-----BEGIN PGP MESSAGE-----\n", b"-----END PGP MESSAGE-----\n", b"\xff",
    b"Content-Type: message/rfc822\n\n", b"Content-Type: multipart/report; boundary=a\n", b"", b"\x08", b"\x85",
]  # fmt: skip
MAILS = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "golden" / "exchange_mail").glob("*.eml"))]


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """One to six changes, each of a bit, a run, a token, or a piece of another."""
    altered = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(altered) + 1)
        length = min(chance.choice((1, 1, 2, 4, 16, 100)), len(altered) - at)
        match chance.randrange(6):
            case 0 if length:
                altered[at] ^= 1 << chance.randrange(8)
            case 1:
                altered[at : at + length] = chance.randbytes(length)
            case 2:
                del altered[at : at + length]
            case 3:
                altered[at : at + length] = chance.choice(TOKENS)
            case 4:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                altered[at : at + length] = other[start : start + chance.choice((1, 8, 64, 400))]
            case _:
                altered[at:at] = altered[at : at + length]
    return bytes(altered)


def mail_outcome(raw: bytes) -> str:
    contents = mail.read(raw)
    assert (contents.sealed or contents.faults) and all(contents.sealed)
    return " ".join([f"{len(contents.sealed)} bodies", *contents.faults])


def file_outcome(path: Path, raw: bytes) -> str:
    path.write_bytes(raw)
    try:
        with bundle.opened(path, realm="live") as opened:
            assert all(part.data in raw for part in opened.parts(here="XB"))
    except (UnreadableFile, bundle.OtherRealm) as error:
        return error.code
    report = opened.report
    assert report.is_whole or report.faults
    return " ".join(sorted({named.fault for named in report.faults})) or "whole"


def run(folder: Path, seconds: float, seed: int) -> dict[str, Counter[str]]:
    chance = random.Random(seed)
    path = folder / "stick.zip"
    sealed = [ForNode(code, lane, chance.randbytes(90)) for code in ("XB", "XC") for lane in Lane]
    file.write(path, HEADER, [RosterText(1, b"{}"), *sealed, Chunk("ab" * 32, 0, chance.randbytes(200))])
    whole = path.read_bytes()
    counts: dict[str, Counter[str]] = {"mails": Counter(), "files": Counter()}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for _ in range(100):
            counts["mails"][mail_outcome(mutated(chance.choice(MAILS), MAILS, chance))] += 1
            counts["files"][file_outcome(path, mutated(whole, [whole], chance))] += 1
    return counts


def test_hostile_mails_and_files_of_a_few_seconds_are_outcomes(tmp_path: Path) -> None:
    counts = run(tmp_path, 3, seed=int(os.environ.get("TANSIQ_FUZZ_SEED", "1")))

    assert all(counter.total() > 300 and len(counter) > 3 for counter in counts.values())


@pytest.mark.long
def test_hostile_mails_and_files_of_minutes_are_outcomes(tmp_path: Path) -> None:
    seconds = float(os.environ.get("TANSIQ_FUZZ_SECONDS", "600")) / 5
    seed = int(os.environ.get("TANSIQ_FUZZ_SEED", str(random.SystemRandom().randrange(2**32))))

    counts = run(tmp_path, seconds, seed)

    print(f"\nseed {seed}, {seconds:.0f} s")
    for stage, counter in counts.items():
        print(f"{stage}: {counter.total()} inputs")
        for outcome, number in counter.most_common():
            print(f"  {number:>9} {outcome}")
    assert all(counter.total() > 10_000 for counter in counts.values()) or seconds < 120
