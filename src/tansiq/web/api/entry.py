"""Who asks: a key, a session, a guest. What they may ask for is the scope's, then the desk's to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from tansiq.core.viewer import NOBODY, Scope, Viewer
from tansiq.members.key_viewers import KeyNotValid, viewer_of_key
from tansiq.sharing.rules import may_use, may_write
from tansiq.web.api.pace import GUEST, KNOWN, PACE
from tansiq.web.api.refusals import Forged, KeyNeeded, TooManyRequests
from tansiq.web.signin import limits
from tansiq.web.signin.address import client_address, host_of

SAFE = ("GET", "HEAD")


class Key(HttpBearer):
    """``Authorization: Bearer KEY``. Where it stands the browser's session counts for nothing."""

    openapi_description = "A key of a team (docs/reference/api-keys.md)."

    def __init__(self, scope: Scope | None, *, writing: bool) -> None:
        super().__init__()
        self.scope, self.writing = scope, writing

    def __call__(self, request: HttpRequest) -> Viewer | None:
        said = request.headers.get("Authorization", "")
        if not said:
            return None
        scheme, _space, secret = said.partition(" ")
        return self.authenticate(request, secret.strip() if scheme.lower() == "bearer" else "")

    def authenticate(self, request: HttpRequest, token: str) -> Viewer:
        """Raises: KeyNotValid, TooManyRequests, NotAllowed."""
        try:
            viewer = viewer_of_key(token, address=client_address(request), now=request.now)
        except KeyNotValid:
            failed(request)
            raise
        enter(request, viewer)
        if self.writing:
            may_write(viewer).require()
        if self.scope is not None:
            may_use(viewer, self.scope).require()
        return viewer


class Session(APIKeyCookie):
    """The browser's session; to change something it needs the page's token as well."""

    param_name = settings.SESSION_COOKIE_NAME
    openapi_description = "The session of somebody signed in to the portal."

    def __call__(self, request: HttpRequest) -> Viewer | None:
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Viewer | None:
        """Raises: Forged, TooManyRequests."""
        if request.viewer.nobody:
            return None
        if request.method not in SAFE and check_csrf(request):
            raise Forged()
        return enter(request, request.viewer)


class Guest:
    """Whoever else; ``turned_away`` where nothing is public."""

    def __init__(self, *, turned_away: bool) -> None:
        self.turned_away = turned_away

    def __call__(self, request: HttpRequest) -> Viewer:
        """Raises: KeyNeeded, TooManyRequests."""
        enter(request, NOBODY)
        if self.turned_away:
            raise KeyNeeded()
        return NOBODY


def everybody(scope: Scope) -> list[Callable[[HttpRequest], Any]]:
    """For guests too; a key needs ``scope``."""
    return [Key(scope, writing=False), Session(), Guest(turned_away=False)]


def teams_only(scope: Scope | None = None, *, writing: bool = False) -> list[Callable[[HttpRequest], Any]]:
    return [Key(scope, writing=writing), Session(), Guest(turned_away=True)]


def enter(request: HttpRequest, viewer: Viewer) -> Viewer:
    """From here on the request is the viewer's, and counted. Raises: TooManyRequests."""
    request.viewer = viewer
    spend(request)
    return viewer


def spend(request: HttpRequest, cost: float = 1.0) -> None:
    """Raises: TooManyRequests."""
    viewer: Viewer = request.viewer
    asker = f"host:{host_of(client_address(request))}" if viewer.nobody else viewer.name
    wait = PACE.spend(asker, GUEST if viewer.nobody else KNOWN, at=request.now.timestamp(), cost=cost)
    if wait:
        raise TooManyRequests(seconds=wait)


def failed(request: HttpRequest) -> None:
    """Count a key that is not valid here, as sign-in counts failures: by address, and apart from sign-in's own count,
    so that a program with an old key keeps nobody of its office out. A good key is never held back by this.

    Raises: TooManyRequests.
    """
    key = limits.Key(f"key:{host_of(client_address(request))}", limits.HOST)
    try:
        limits.spend([key], now=request.now)
    except limits.TooManyFailures as error:
        raise TooManyRequests(seconds=error.values["seconds"]) from None
