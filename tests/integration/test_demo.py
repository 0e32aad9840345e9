"""The demo from an empty folder to the digests, and once more."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

from conftest import environment

LINK = re.compile(r"http://localhost:(\d+)/enter/([\w-]{43})/")
Run = Callable[..., CompletedProcess[str]]

TOTAL = re.compile(
    r"^(?:Total|المجموع)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s+([\d,]+)\s*$", re.MULTILINE
)


def totals(output: str) -> dict[str, int]:
    found = TOTAL.search(output)
    assert found, output
    names = ("lines", "blank", "events", "new", "repeats", "rejected")
    return {name: int(number.replace(",", "")) for name, number in zip(names, found.groups(), strict=True)}


def demo_twice(run: Run, folder: Path) -> tuple[Path, CompletedProcess[str], CompletedProcess[str]]:
    """In one new home and on one day: the sample is of the days before it, so at midnight it is another."""
    while True:
        day = datetime.now(UTC).date()
        home = folder / day.isoformat()
        first, again = run("demo", at=home), run("demo", at=home, TANSIQ_LANGUAGE="ar")
        if datetime.now(UTC).date() == day:
            return home, first, again


def test_demo_runs_the_main_job_from_nothing_and_again_without_harm(run: Run, tmp_path: Path) -> None:
    demo_home, first, again = demo_twice(run, tmp_path / "demo")

    assert (first.returncode, first.stderr.count("Traceback")) == (0, 0), first.stderr
    assert (again.returncode, again.stderr.count("Traceback")) == (0, 0), again.stderr
    one, two = totals(first.stdout), totals(again.stdout)
    assert one["lines"] == two["lines"] == 200_000
    assert one["lines"] == one["blank"] + one["events"] + one["rejected"]
    assert one["events"] == one["new"] + one["repeats"]
    assert one["new"] > 150_000
    assert 400 <= one["rejected"] <= 1_000
    assert (two["events"], two["new"]) == (one["events"], 0)
    for said in ("MACERT", "tansiq events query", "tansiq events count", "digest.html"):
        assert said in first.stdout
    digest = next((demo_home / "digests").glob("*/MA-MACERT/digest.html")).read_text()
    assert '<html lang="ar" dir="rtl">' in digest
    assert str(demo_home / "digests") in first.stdout
    assert len(LINK.findall(first.stdout)) == len(set(LINK.findall(first.stdout))) == 11
    assert "its pages answer" in first.stdout
    assert len(list((demo_home / "digests").glob("*/*/digest.html"))) >= 28
    assert all("sample" in path.name for path in (demo_home / "sample").iterdir())


def test_demo_on_a_terminal_serves_the_federation_until_ctrl_c(home: Path) -> None:
    import pty

    terminal, far_end = pty.openpty()
    demo = subprocess.Popen(
        [sys.executable, "-m", "tansiq", "demo", "--serve"],
        env=environment(home), stdin=far_end, stdout=far_end, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(far_end)
    said = ""
    while "Ctrl-C stops it." not in said:
        said += os.read(terminal, 4096).decode()
    port, token = LINK.findall(said)[0]
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    page = browser.open(f"http://localhost:{port}/enter/{token}/", timeout=60).read().decode()
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert csrf, page

    form = urllib.parse.urlencode({"csrfmiddlewaretoken": csrf[1]}).encode()
    inside = browser.open(f"http://localhost:{port}/enter/{token}/", data=form, timeout=60).read().decode()
    still = demo.poll()
    demo.send_signal(signal.SIGINT)
    code = demo.wait(60)
    os.close(terminal)

    assert "Grace Lim" in inside
    assert (still, code) == (None, 0)
