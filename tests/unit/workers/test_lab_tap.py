"""What a node was handed is kept whole, however its process ended."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tansiq.workers.lab.line import _keep, _mend, tapped


def test_messages_are_found_as_they_came(tmp_path: Path) -> None:
    tap = tmp_path / "XA.tap"

    _keep(tap, [b"one", b""])
    _keep(tap, [b"three"])

    assert list(tapped(tap)) == [b"one", b"", b"three"]


def test_no_tap_holds_nothing(tmp_path: Path) -> None:
    _mend(tmp_path / "XA.tap")

    assert list(tapped(tmp_path / "XA.tap")) == []


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_message_that_a_kill_cut_off_hides_none_of_those_after_it(cut: int, tmp_path: Path) -> None:
    tap = tmp_path / "XA.tap"
    _keep(tap, [b"one", b"two"])
    tap.write_bytes(tap.read_bytes()[:-cut])

    _mend(tap)
    _keep(tap, [b"three"])

    assert list(tapped(tap)) == [b"one", b"three"]


def test_message_that_does_not_fit_leaves_those_before_it(tmp_path: Path) -> None:
    import resource
    import signal

    tap = tmp_path / "XA.tap"
    _keep(tap, [b"one"])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30, before[1]))
    try:
        with pytest.raises(OSError) as full:
            _keep(tap, [b"two", b"three" * 10])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    _keep(tap, [b"four"])

    assert full.value.errno == errno.EFBIG
    assert list(tapped(tap)) == [b"one", b"four"]
