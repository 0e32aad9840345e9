"""The OpenPGP certificates of a team: uploaded as a file or pasted, judged, withdrawn."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from tansiq.members import actions, queries, rules
from tansiq.members.models import TeamCertificate
from tansiq.openpgp.armor import LIMIT_BYTES, TooLarge
from tansiq.web.desk.place import at_desk, at_team, did, team_at
from tansiq.web.desk.words import finding
from tansiq.web.languages import see_other


class Pasted(forms.Textarea):
    """Not shown again: what was refused may have been a secret key."""

    def format_value(self, value: Any) -> str:
        return ""


class CertificateForm(forms.Form):
    """What the file is called says nothing, and is not looked at."""

    file = forms.FileField(
        label=gettext_lazy("File with the public key"),
        required=False,
        help_text=gettext_lazy("As your program exports it, armored or not."),
    )
    armor = forms.CharField(
        label=gettext_lazy("Or the key pasted as text"),
        required=False,
        widget=Pasted(
            attrs={"rows": 6, "class": "tech", "dir": "ltr", "spellcheck": "false", "autocomplete": "off",
                   "placeholder": "-----BEGIN PGP PUBLIC KEY BLOCK-----"}
        ),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """``blob``: the one of the two that was given."""
        clean = super().clean() or {}
        file, armor = clean.get("file"), clean.get("armor", "")
        if not self.errors and bool(file) == bool(armor):
            raise ValidationError(_("Choose a file, or paste the key; one of the two."))
        return clean

    @property
    def blob(self) -> bytes:
        """Raises: TooLarge, before a large file is read into memory."""
        if file := self.cleaned_data["file"]:
            if file.size > LIMIT_BYTES:
                raise TooLarge(size_bytes=file.size, limit_bytes=LIMIT_BYTES)
            return bytes(file.read())
        return str(self.cleaned_data["armor"]).encode()


@at_desk
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, code: str) -> HttpResponse:
    team, viewer, now = team_at(request, code), request.viewer, request.now
    posted = request.method == "POST"
    form = CertificateForm(request.POST, request.FILES) if posted else CertificateForm()
    if posted:
        rules.may_keep_certificates(team=code, by=viewer).require()
        if did(form, lambda clean: actions.upload_certificate(form.blob, team=team, by=viewer, now=now)):
            messages.success(request, _("The certificate is kept. What is wrong with it, if anything, stands below."))
            return see_other(reverse("team-keys", args=[code]))
    held = queries.certificates_of(viewer, code, now=now)
    found = [[(each["severity"], finding(each["code"], each["values"])) for each in one.findings] for one in held]
    return at_team(
        request,
        "desk/keys.html",
        team,
        here="team-keys",
        status=422 if posted else 200,
        form=form,
        rows=list(zip(held, found, strict=True)),
        may_keep=bool(rules.may_keep_certificates(team=code, by=viewer)),
    )


@at_desk
@require_POST
def withdraw(request: HttpRequest, code: str, fingerprint: str) -> HttpResponse:
    team = team_at(request, code)
    certificates = TeamCertificate.objects.select_related("team")
    certificate = get_object_or_404(certificates, team=team, fingerprint=fingerprint)
    actions.withdraw_certificate(certificate, by=request.viewer, now=request.now)
    messages.success(request, _("The certificate is withdrawn: nothing is sealed to it any more."))
    return see_other(reverse("team-keys", args=[code]))
