"""Fetching from registries, against a server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tansiq.addresses.fetch import NotFetched, NotSecure, fetch

Run = Callable[..., "CompletedProcess[str]"]

BLOCKS = {"xaric": "192.0.2.0", "xbnic": "198.51.100.0"}


def statistics(registry: str, *, stated: int = 1) -> bytes:
    rows = [
        f"2|{registry}|20260505|1|19870101|20260505|0",
        f"{registry}|*|ipv4|*|{stated}|summary",
        f"{registry}|MA|ipv4|{BLOCKS[registry]}|256|20200101|allocated",
    ]
    return "\n".join([*rows, ""]).encode()


class Registry(ThreadingHTTPServer):
    """Serves what ``pages`` holds: path -> (status, headers, body)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Answer(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        status, headers, body = self.server.pages.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_fetch_each_address_becomes_a_file(registry: Registry, tmp_path: Path) -> None:
    registry.pages = {f"/stats/{name}": (200, {}, statistics(name)) for name in BLOCKS}
    told: list[tuple[str, int]] = []

    fetch([registry.url("/stats/xaric"), registry.url("/stats/xbnic")], tmp_path, progress=lambda *a: told.append(a))

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {n: statistics(n) for n in BLOCKS}
    assert told[-1] == (registry.url("/stats/xbnic"), len(statistics("xbnic")))


@pytest.mark.parametrize(
    "page",
    [
        (404, {}, b"gone"),
        (503, {}, b"later"),
        (200, {"Content-Length": "100000"}, b"half"),
        (302, {"Location": "file:///etc/hostname"}, b""),
    ],
)
def test_fetch_anything_but_the_whole_file_is_an_error_that_leaves_the_former_file(
    registry: Registry, tmp_path: Path, page: tuple[int, dict[str, str], bytes]
) -> None:
    registry.pages = {"/xaric": page}
    (tmp_path / "xaric").write_text("former")

    with pytest.raises(NotFetched):
        fetch([registry.url("/xaric")], tmp_path)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"xaric": "former"}


def test_fetch_nobody_answers_is_an_error_worth_trying_again(tmp_path: Path) -> None:
    with pytest.raises(NotFetched) as refusal:
        fetch(["http://127.0.0.1:9/xaric"], tmp_path)

    assert refusal.value.transient
    assert refusal.value.exit_code == 3


@pytest.mark.parametrize("url", ["http://registry.example/stats", "ftp://127.0.0.1/stats", "file:///etc/hostname", "x"])
def test_fetch_without_encryption_is_for_this_machine_only(tmp_path: Path, url: str) -> None:
    with pytest.raises(NotSecure):
        fetch([url], tmp_path)


def test_fetch_a_redirect_may_not_leave_encryption(registry: Registry, tmp_path: Path) -> None:
    registry.pages = {"/xaric": (302, {"Location": "http://registry.example/xaric"}, b"")}

    with pytest.raises(NotSecure):
        fetch([registry.url("/xaric")], tmp_path)


def test_geo_update_asks_all_registries_and_compiles_what_they_send(registry: Registry, run: Run) -> None:
    registry.pages = {f"/{name}": (200, {}, statistics(name)) for name in BLOCKS}
    urls = " ".join(registry.url(f"/{name}") for name in BLOCKS)

    done = run("geo", "update", "--json", TANSIQ_REGISTRIES=urls)

    facts = json.loads(done.stdout)
    assert done.returncode == 0
    assert (facts["prefixes4"], facts["countries"], facts["as_of"], facts["skipped"]) == (2, 1, "2026-05-05", [])
    assert [source["file"] for source in facts["sources"]] == ["xaric", "xbnic"]


def test_geo_update_one_registry_incomplete_changes_nothing(registry: Registry, run: Run) -> None:
    registry.pages = {"/xaric": (200, {}, statistics("xaric")), "/xbnic": (200, {}, statistics("xbnic", stated=2))}
    urls = " ".join(registry.url(f"/{name}") for name in BLOCKS)

    done = run("geo", "update", "--json", TANSIQ_REGISTRIES=urls)

    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "addresses.source.incomplete"
    assert json.loads(run("geo", "status", "--json").stdout)["as_of"] is None


def test_geo_update_registry_out_of_reach_says_what_else_can_be_done(run: Run) -> None:
    done = run("geo", "update", TANSIQ_REGISTRIES="http://127.0.0.1:9/xaric")

    assert done.returncode == 3
    assert "--from FOLDER" in done.stderr
    assert "--bundled" in done.stderr
    assert done.stdout == ""
