"""The process that opens: what it must survive, and that nothing but the culprit is lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from factories import exchange as make
from factories.openpgp_messages import compressed, sealed_to, zeros_compressed
from tansiq.exchange import opener as opener_module
from tansiq.exchange.opener import Opener, OpenerFailed
from tansiq.exchange.opening import Bounds, framed, unframed
from tansiq.exchange.reasons import JunkReason
from tansiq.exchange.seal import SEALED_LIMIT_BYTES, Junk, Sealed, Unsealed

BOMB = Junk("5.2", JunkReason.BOMB)


@pytest.fixture(scope="module")
def opener() -> Iterator[Opener]:
    with Opener([make.node_secret("XB")], make.facts().believed_certificates()) as opener:
        yield opener


def to_xb(packets: bytes) -> Sealed:
    return Sealed(sealed_to(make.node_secret("XB").certificate, packets))


def good(number: int) -> tuple[Sealed, Unsealed]:
    content = b"%d" % number + bytes(1000)
    return make.sealed_bytes(content), Unsealed(content, make.node_secret("XA").fingerprint)


def child_of(opener: Opener) -> int:
    assert opener.pid is not None
    return opener.pid


def test_open_all_answers_in_order_what_opening_here_would(opener: Opener) -> None:
    messages, expected = zip(*(good(number) for number in range(300)), strict=True)
    rubbish = Sealed(b"rubbish")

    outcomes = opener.open_all([*messages, rubbish, make.sealed_bytes(b"", to="XC"), messages[0]])

    assert outcomes[:300] == list(expected)
    assert [outcome.reason for outcome in outcomes[300:302] if isinstance(outcome, Junk)] == [
        JunkReason.NOT_OPENED,
        JunkReason.NOT_OPENED,
    ]
    assert outcomes[302] == expected[0]


def test_open_all_largest_messages_do_not_block_the_pipes(opener: Opener) -> None:
    content = os.urandom(512 * 1024)
    largest = make.sealed_bytes(content)

    outcomes = opener.open_all([largest] * 5)

    assert outcomes == [Unsealed(content, make.node_secret("XA").fingerprint)] * 5


def test_open_too_long_is_junk_without_being_written(opener: Opener) -> None:
    message, expected = good(1)

    outcomes = opener.open_all([Sealed(bytes(SEALED_LIMIT_BYTES + 1)), message, Sealed(bytes(SEALED_LIMIT_BYTES + 1))])

    too_long = Junk("5.1", JunkReason.SIZE)
    assert outcomes == [too_long, expected, too_long]


def test_open_bomb_ends_only_the_process_and_is_junk(opener: Opener) -> None:
    (first, one), (second, two) = good(1), good(2)
    bomb = to_xb(zeros_compressed(900))
    within_another = to_xb(compressed(zeros_compressed(900)))
    assert len(bomb.data) < SEALED_LIMIT_BYTES

    outcomes = opener.open_all([first, bomb, second, within_another, first])

    assert outcomes == [one, BOMB, two, BOMB, one]


SLEEPS = """\
import time
from tansiq.exchange import opening
unsealed = opening.unsealed
opening.unsealed = lambda sealed, **by: time.sleep(3600) if sealed.data == b"slow" else unsealed(sealed, **by)
opening.main()
"""


def test_open_bomb_of_time_is_junk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    message, expected = good(1)
    program = tmp_path / "sleeps"
    program.write_text(f"#!{sys.executable}\n{SLEEPS}")
    program.chmod(0o700)
    monkeypatch.setattr(opener_module.sys, "executable", str(program))

    with Opener(
        [make.node_secret("XB")], make.facts().believed_certificates(), bounds=Bounds(silence_seconds=0.3)
    ) as opener:
        outcomes = [opener.open(Sealed(b"slow"))]
        opener._silence_seconds = 60.0  # the next child answers as soon as this machine can
        outcomes.append(opener.open(message))

    assert outcomes == [BOMB, expected]


def test_open_after_somebody_ended_the_process_nothing_is_lost(opener: Opener) -> None:
    message, expected = good(1)
    opener.open(message)
    os.kill(child_of(opener), signal.SIGKILL)

    outcomes = opener.open_all([message, message])

    assert outcomes == [expected, expected]


def test_open_process_that_ends_by_itself_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opener_module.sys, "executable", "/bin/false")

    with Opener([], []) as opener, pytest.raises(OpenerFailed):
        opener.open(good(1)[0])


def test_child_writes_no_file_leaves_no_core_and_is_bounded(opener: Opener) -> None:
    opener.open(good(1)[0])

    with open(f"/proc/{child_of(opener)}/limits", encoding="ascii") as limits:  # noqa: PTH123
        rows = {line[:26].strip(): line[26:].split()[0] for line in limits}

    assert (rows["Max file size"], rows["Max core file size"]) == ("0", "0")
    assert int(rows["Max address space"]) < 1024**3
    assert int(rows["Max cpu time"]) < 1000


def test_close_ends_the_process() -> None:
    with Opener([make.node_secret("XB")], []) as opener:
        opener.open(good(1)[0])
        pid = child_of(opener)

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_unframed_gives_whole_frames_only() -> None:
    buffer = bytearray(framed(b"abc") + framed(b"") + framed(b"de")[:5])

    assert [unframed(buffer), unframed(buffer), unframed(buffer)] == [b"abc", b"", None]
    assert buffer == framed(b"de")[:5]
