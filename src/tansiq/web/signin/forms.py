"""allauth's forms, with our limits and with codes that are accepted once, whichever process they reach."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from allauth.account import forms as account
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from tansiq.web.signin import limits
from tansiq.web.signin.address import client_address
from tansiq.web.signin.models import SpentCode
from tansiq.web.signin.refusal import too_many

CODES_KEPT = timedelta(minutes=10)  # longer than any code is valid


class LoginForm(account.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs |= {"autofocus": True, "dir": "ltr", "autocomplete": "username webauthn"}
        self.fields["login"].label, self.fields["password"].label = _("Mail address"), _("Password")
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)  # the label says it


class CodeForm:
    """Counts a code as wrong before it is judged, and spends a right one."""

    fields: dict[str, Any]
    user: AbstractBaseUser

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attrs = {"inputmode": "numeric", "autofocus": True, "dir": "ltr", "autocomplete": "one-time-code"}
        self.fields["code"].widget.attrs |= attrs
        self.fields["code"].label = _("Code")
        self.fields["code"].widget.attrs.pop("placeholder", None)

    def clean_code(self) -> str:
        request = context.request
        keys = limits.keys_of_code(self.user.pk, client_address(request))
        try:
            limits.spend(keys, now=request.now)
        except limits.TooManyFailures as error:
            raise ImmediateHttpResponse(too_many(request, error)) from error
        with transaction.atomic():
            # Two showings of one recovery code at once: the second waits here and finds it used.
            list(Authenticator.objects.select_for_update().filter(user_id=self.user.pk))
            code = super().clean_code()  # type: ignore[misc]
            spend_code(self.user, code, now=request.now)
        limits.refund(keys)
        return code


class AuthenticateForm(CodeForm, mfa.AuthenticateForm):
    pass


class ReauthenticateForm(CodeForm, mfa.ReauthenticateForm):
    pass


class ActivateTOTPForm(CodeForm, totp.ActivateTOTPForm):
    pass


class AddPasskeyForm(webauthn.AddWebAuthnForm):
    """Always one that can be the way in by itself: it asks who holds it, so it is two factors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["passwordless"]
        self.fields["name"].label = _("Name of the passkey")

    def clean(self) -> dict[str, Any]:
        self.cleaned_data["passwordless"] = True
        return super().clean()


def spend_code(person: AbstractBaseUser, code: str, *, now: datetime) -> None:
    """Raises: ValidationError, the same as for a wrong code, if this one was accepted before."""
    digest = hashlib.sha256("".join(code.split()).encode()).hexdigest()
    SpentCode.objects.filter(spent_at__lt=now - CODES_KEPT).delete()
    try:
        with transaction.atomic():
            SpentCode.objects.create(person=person, digest=digest, spent_at=now)
    except IntegrityError:
        raise get_adapter().validation_error("incorrect_code") from None
