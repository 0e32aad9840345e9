"""Every refusal of the API: ``{"error": {code, message, remedy}}``, in the reader's language, with its status."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from ninja.errors import ValidationError
from typing_extensions import TypedDict  # before Python 3.12 the checker of shapes reads no other

from tansiq.core.decision import Decision, NotAllowed
from tansiq.core.errors import N_, TansiqError
from tansiq.members.key_viewers import KeyNotValid
from tansiq.members.values import shown
from tansiq.web import reasons

DOCUMENT = "/api/v1/openapi.json"


class Refusal(TansiqError):
    """What the API itself refuses, before any desk is asked."""

    status: ClassVar[int] = 400
    exit_code = 2


class NothingHere(Refusal):
    """Absent, or not for this reader's eyes: the two look alike."""

    code = "api.not_found"
    message = N_("There is nothing at this address.")
    remedy = N_("What can be asked is written in {document}.")
    status = 404


class OtherMethod(Refusal):
    code = "api.method"
    message = N_("This address does not answer {method}.")
    remedy = N_("It answers {allowed}.")
    status = 405


class KeyNeeded(Refusal):
    code = "api.key_needed"
    message = N_("This is for teams and their people.")
    remedy = N_("Send a key of your team as `Authorization: Bearer KEY`.")
    exit_code = 5
    status = 401


class Forged(Refusal):
    code = "api.forged"
    message = N_("The browser's session may change something only from a page of this portal.")
    remedy = N_("Send the page's token as X-CSRFToken, or use a key of your team in place of the session.")
    exit_code = 5
    status = 403


class TooManyRequests(Refusal):
    code = "api.too_many"
    message = N_("Too many requests came in too short a time.")
    remedy = N_("Wait {seconds} seconds.")
    exit_code = 5
    transient = True
    status = 429


class Unreadable(Refusal):
    code = "api.body.unreadable"
    message = N_("The body of the request is no JSON.")
    remedy = N_("Send one JSON object in UTF-8.")


class Misdirected(Refusal):
    code = "api.bad_request"
    message = N_("This request cannot be answered: its address or its headers are not as they should be.")
    remedy = N_("Ask the portal by the address that its people use.")


class TooLarge(Refusal):
    code = "api.body.too_large"
    message = N_("The body of the request is too large.")
    remedy = N_("Send it in parts.")
    status = 413


class Missing(Refusal):
    code = "api.value.missing"
    message = N_("{name} is missing.")
    remedy = N_("What belongs here is written in {document}.")


class BadValue(Refusal):
    code = "api.value.bad"
    message = N_("{name} has a value that cannot be used: {detail}.")
    remedy = N_("What belongs here is written in {document}.")


class Broken(Refusal):
    code = "api.broken"
    message = N_("Something is broken on this node.")
    remedy = N_("Its administrator finds more in the node's log.")
    exit_code = 1
    status = 500


class Told(TypedDict):
    """``code`` is stable and in English; ``message`` and ``remedy`` are in the reader's language."""

    code: str
    message: str
    remedy: str


def told(error: TansiqError) -> Told:
    """A rule's refusal goes by the code of its reason."""
    if isinstance(error, NotAllowed):
        decision = Decision(False, error.values["reason"], error.values)
        sentence = reasons.sentence(decision)
        known = sentence != decision.reason
        return {
            "code": decision.reason,
            "message": sentence if known else _(error.message).format(reason=decision.reason),
            "remedy": "",
        }
    return {
        "code": error.code,
        "message": _(error.message).format(**error.values),
        "remedy": _(error.remedy).format(**error.values) if error.remedy else "",
    }


def status_of(error: TansiqError) -> int:
    """By what the error says of itself; whatever stands in the way without being anybody's fault is a conflict."""
    if isinstance(error, Refusal):
        return error.status
    if isinstance(error, KeyNotValid):
        return 401
    if error.transient:
        return 503
    return {2: 400, 3: 503, 4: 503, 5: 403}.get(error.exit_code, 409)


def answer(error: TansiqError) -> JsonResponse:
    status = status_of(error)
    said = JsonResponse({"error": told(error)}, status=status, json_dumps_params={"ensure_ascii": False})
    if status == 401:
        said.headers["WWW-Authenticate"] = "Bearer"
    if "seconds" in error.values:
        said.headers["Retry-After"] = str(error.values["seconds"])
    return said


def of_validation(error: ValidationError) -> Refusal:
    """The first thing that is wrong with what was sent. The detail is the checker's own, in English."""
    first: dict[str, Any] = error.errors[0]
    place = [str(part) for part in first["loc"][1:]]
    if first["loc"][0] == "body":
        place = place[1:] or place  # without the name that the program's own code gives the body
    name = shown(".".join(place))
    if first["type"] == "missing":
        return Missing(name=name, document=DOCUMENT)
    return BadValue(name=name, detail=first["msg"], document=DOCUMENT)


def nothing_here(_request: HttpRequest, _exception: Exception | None = None) -> JsonResponse:
    return answer(NothingHere(document=DOCUMENT))


def unreadable(_request: HttpRequest, _exception: Exception | None = None) -> JsonResponse:
    return answer(Unreadable())


def bad_request(_request: HttpRequest) -> JsonResponse:
    return answer(Misdirected())


def broken(_request: HttpRequest) -> JsonResponse:
    return answer(Broken())
