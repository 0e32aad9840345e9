"""The register as a file: taken in after a look at what it would do, and handed out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tansiq.core.errors import N_, TansiqError
from tansiq.members import actions, queries, rules
from tansiq.members.actions import Imported
from tansiq.members.mistakes import BadStatement, Mistake, NotUtf8
from tansiq.members.statement import read
from tansiq.members.written import written
from tansiq.web.desk.place import at_desk
from tansiq.web.desk.words import told
from tansiq.web.languages import see_other

LIMIT_BYTES = 1 << 20
"""Of a file that comes by a page, and goes back and forth once: some 30,000 claims. Larger ones: the command line."""

MISTAKES_SHOWN = 200


class TooLargeUpload(TansiqError):
    code = "members.upload.size"
    message = N_("The file has {size_bytes} bytes; a page takes {limit_bytes}.")
    remedy = N_("Split it by team, or let the node's operator run `tansiq members import`.")
    exit_code = 2


class ImportForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File of teams"),
        help_text=gettext_lazy("TOML in UTF-8, as an export gives it."),
    )


@dataclass(frozen=True, slots=True)
class Wrong:
    row: int | None
    team: str
    field: str
    sentence: str


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Takes a file and shows what it would do. Nothing is changed here."""
    _ours(request)
    posted = request.method == "POST"
    form = ImportForm(request.POST, request.FILES) if posted else ImportForm()
    if posted and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if file.size > LIMIT_BYTES:
                raise TooLargeUpload(size_bytes=file.size, limit_bytes=LIMIT_BYTES)
            return _previewed(request, text_of(file.read()))
        except BadStatement as refused:
            return _refused(request, form, refused)
        except TooLargeUpload as error:
            form.add_error("file", told(error))
    return render(request, "desk/import.html", {"form": form}, status=422 if posted else 200)


@at_desk
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Takes over what was shown; if the register has moved since, it is shown anew instead."""
    _ours(request)
    document = request.POST.get("document", "")
    try:
        seen = (request.POST.get("version"), request.POST.get("digest"))
        if seen != (str(queries.claims_version()), digest(document)):
            return _previewed(request, document, moved=True)
        imported = actions.import_statement(read(document), now=request.now, by=request.viewer)
    except BadStatement as refused:
        return _refused(request, ImportForm(), refused)
    moved = imported.counts.teams["new"] + imported.counts.teams["changed"]
    messages.success(request, _("The file is taken over; teams new or changed: {count}.").format(count=moved))
    return see_other(reverse("register"))


@at_desk
@require_safe
def export(request: HttpRequest, code: str = "") -> HttpResponse:
    """Everything, or one team: what an import takes back. No passwords, no secrets."""
    content = written(queries.export(request.viewer, now=request.now, team=code))
    answer = HttpResponse(content, content_type="application/toml; charset=utf-8")
    name = f"{code or 'register'}-{request.now:%Y-%m-%d}.toml"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def text_of(content: bytes) -> str:
    """Raises: BadStatement at the line that is not UTF-8; a byte-order mark is passed over."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise BadStatement([Mistake(row, "", "", NotUtf8(byte=f"0x{content[error.start]:02X}"))]) from error


def digest(document: str) -> str:
    """Of the lines, whose ends a browser writes in its own way."""
    return hashlib.sha256("\n".join(document.splitlines()).encode()).hexdigest()


def _ours(request: HttpRequest) -> None:
    rules.may_import(by=request.viewer, people=False).require()


def _previewed(request: HttpRequest, document: str, *, moved: bool = False) -> HttpResponse:
    version = queries.claims_version()
    imported = actions.import_statement(read(document), now=request.now, dry_run=True, by=request.viewer)
    shown: dict[str, Any] = {
        "document": document,
        "version": version,
        "digest": digest(document),
        "counts": imported.counts,
        "rows": _overlap_rows(imported),
        "moved": moved,
    }
    return render(request, "desk/import_preview.html", shown)


def _overlap_rows(imported: Imported) -> list[tuple[int | None, Any, list[tuple[str, str]]]]:
    return [
        (one.row, one.overlap, sorted({(other.team, other.value) for other in one.overlap.others}))
        for one in imported.overlaps[:MISTAKES_SHOWN]
    ]


def _refused(request: HttpRequest, form: ImportForm, refused: BadStatement) -> HttpResponse:
    wrong = [Wrong(each.row, each.team, each.field, told(each.error)) for each in refused.mistakes[:MISTAKES_SHOWN]]
    shown = {"form": form, "wrong": wrong, "count": len(refused.mistakes), "more": len(refused.mistakes) - len(wrong)}
    return render(request, "desk/import.html", shown, status=422)
