"""Fetch the statistics of the five regional registries."""

from __future__ import annotations

import errno
import http.client
import os
import time
import urllib.request
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

from tansiq.core.errors import N_, TansiqError

REGISTRIES = (
    "https://ftp.afrinic.net/pub/stats/afrinic/delegated-afrinic-extended-latest",
    "https://ftp.apnic.net/stats/apnic/delegated-apnic-extended-latest",
    "https://ftp.arin.net/pub/stats/arin/delegated-arin-extended-latest",
    "https://ftp.lacnic.net/pub/stats/lacnic/delegated-lacnic-extended-latest",
    "https://ftp.ripe.net/pub/stats/ripencc/delegated-ripencc-extended-latest",
)
MAX_BYTES = 256 << 20  # the largest of them has about 20 MB
TIMEOUT_SECONDS = 30.0  # without a byte
LIMIT_SECONDS = 900.0  # for one file
PIECE = 1 << 20
DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO)


class NotFetched(TansiqError):
    code = "addresses.fetch.failed"
    message = N_("{url} was not fetched: {reason}. The address table used so far is unchanged.")
    remedy = N_(
        "Try again later, or give local copies with `tansiq geo update --from FOLDER`, or start with"
        " `tansiq geo update --bundled`."
    )
    exit_code = 3
    transient = True


class NotKept(TansiqError):
    code = "addresses.fetch.not_kept"
    message = N_("{url} could not be written to {folder}: {reason}. The address table used so far is unchanged.")
    remedy = N_("Make room on that disk or check its permissions, then run `tansiq geo update` again.")
    exit_code = 4
    transient = True


class NotSecure(NotFetched):
    code = "addresses.fetch.not_secure"
    message = N_("{url} was not fetched: only https is allowed, and http on this machine itself.")
    remedy = N_("Give an https address in TANSIQ_REGISTRIES, or unset it.")
    exit_code = 2
    transient = False


def fetch(urls: Sequence[str], into: Path, *, progress: Callable[[str, int], None] = lambda _url, _size: None) -> None:
    """Download each file into the folder, under the last part of its address; all of them or an error.

    Args:
        progress: told the address and the bytes it has so far.

    Raises: NotFetched, NotSecure, NotKept: files fetched before it stay; none is ever half there.
    """
    into.mkdir(parents=True, exist_ok=True)
    for url in urls:
        target = into / (Path(urlsplit(url).path).name or "registry")
        aside = into / f".{target.name}.{os.getpid()}"
        try:
            _download(url, aside, progress)
            aside.replace(target)
        except TansiqError:
            raise
        except (OSError, ValueError, http.client.HTTPException) as error:
            if getattr(error, "errno", None) in DISK_TROUBLE:
                raise NotKept(url=url, folder=into, reason=error) from error
            reason = error.reason if isinstance(error, URLError) else error
            raise NotFetched(url=url, reason=reason or type(error).__name__) from error
        finally:
            aside.unlink(missing_ok=True)


def _download(url: str, into: Path, progress: Callable[[str, int], None]) -> None:
    until = time.monotonic() + LIMIT_SECONDS
    with _opener(url).open(url, timeout=TIMEOUT_SECONDS) as answer, into.open("wb") as file:
        stated = answer.headers.get("Content-Length", "")
        size = 0
        while piece := answer.read(PIECE):
            file.write(piece)
            size += len(piece)
            progress(url, size)
            if size > MAX_BYTES:
                raise NotFetched(url=url, reason=f"> {MAX_BYTES} B")
            if time.monotonic() > until:
                raise NotFetched(url=url, reason=f"> {LIMIT_SECONDS:.0f} s")
        if stated.isdecimal() and size < int(stated):
            raise NotFetched(url=url, reason=f"{size} / {stated} B")


def _opener(url: str) -> urllib.request.OpenerDirector:
    _secure(url)
    here = urllib.request.ProxyHandler({}) if _is_here(url) else urllib.request.ProxyHandler()
    return urllib.request.build_opener(here, _SecureRedirects())


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        _secure(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _secure(url: str) -> None:
    scheme = urlsplit(url).scheme
    if scheme != "https" and not (scheme == "http" and _is_here(url)):
        raise NotSecure(url=url)


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
