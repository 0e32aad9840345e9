"""Where allauth asks us: who may come in, how fast, what mail says, and what comes after the password."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tansiq.web.signin import factor, limits, post, sealing, stored, words
from tansiq.web.signin.address import client_address
from tansiq.web.signin.refusal import too_many

AFTER_FACTOR = "after_factor"  # the session remembers where the person wanted to go


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy("Address and password do not belong together."),
        "incorrect_password": gettext_lazy("This is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False  # by invitation only

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def is_safe_url(self, url: str | None) -> bool:
        """Pages of this portal, by path; no address of another host, however it is written."""
        return bool(url) and url_has_allowed_host_and_scheme(url, allowed_hosts=None) and url.startswith("/")

    def get_login_stages(self) -> list[str]:
        return ["tansiq.web.signin.stages.AskFactor"]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/" if factor.wholly_signed_in(request) else reverse("signin_factor")

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        if factor.wholly_signed_in(request):
            return response
        request.session.setdefault(AFTER_FACTOR, kwargs.get("redirect_url") or "/")
        return HttpResponseRedirect(reverse("signin_factor"))

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Only what the next page does not show by itself."""
        if message_template not in words.SILENT:
            super().add_message(request, level, message_template, *args, **kwargs)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within minutes of signing in; then with the factor that the person has."""
        request = context.request
        records = factor.records_of(request)
        if factor.has_factor(request.user.pk):
            records = [record for record in records if record.get("method") == "mfa"]
        newest = max((record.get("at", 0.0) for record in records), default=0.0)
        return time.time() - newest >= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT

    def get_reauthentication_methods(self, user: AbstractBaseUser) -> list[dict[str, Any]]:
        names = {
            "reauthenticate": _("Your password"),
            "mfa_reauthenticate": _("A code"),
            "mfa_reauthenticate:webauthn": _("A passkey"),
        }
        methods = super().get_reauthentication_methods(user)
        return [method | {"description": names[method["id"]]} for method in methods]

    # How fast one may guess a password.

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self._keys = limits.keys_of(client_address(request))
        try:
            limits.spend(self._keys, now=request.now)
        except limits.TooManyFailures as error:
            raise ImmediateHttpResponse(too_many(request, error)) from error

    def _rollback_login_failed_rl_usage(self) -> None:
        limits.refund(self._keys)

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing is counted by login name."""

    # Mail: addresses are the portal's own, whatever Host a request claims.

    def get_reset_password_from_key_url(self, key: str) -> str:
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.ADDRESS + path.replace("UID-KEY", key)

    def send_password_reset_mail(self, user: AbstractBaseUser, email: str, context: dict[str, Any]) -> None:
        """To the address we know, never to the one typed; silently not, when it was sent often enough."""
        try:
            limits.spend([limits.key_of_mailbox(user.email)], now=self.request.now)
        except limits.TooManyFailures:
            return
        with translation.override(user.language):
            subject = _("A new password for Tansiq")
            text = render_to_string("account/mail/reset.txt", {"address": context["password_reset_url"]})
        post.send(user, subject, text, now=self.request.now)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        with translation.override(user.language):
            said = words.changed(template_prefix)
            facts = {
                "what": said,
                "at": self.request.now,
                "from": client_address(self.request),
                "address": settings.ADDRESS,
            }
            text = render_to_string("account/mail/changed.txt", facts)
            post.send(user, _("Your Tansiq account has changed"), text, now=self.request.now)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Every mail of ours has a method above; one that has not is a mistake, not a mail in somebody else's words."""
        raise NotImplementedError(template_prefix)


class FactorAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This is not the right code, or it was used before. Wait for the next one."),
        "cannot_delete_authenticator": gettext_lazy("It is your only second factor. Set up another one first."),
    }

    def encrypt(self, text: str) -> str:
        return sealing.seal(text, secret=settings.SECRET_KEY)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(encrypted_text, secrets_known=stored.secrets_known())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.ADDRESS).hostname or "localhost", "name": "Tansiq"}

    def get_public_key_credential_user_entity(self, user: AbstractBaseUser) -> dict[str, Any]:
        return super().get_public_key_credential_user_entity(user) | {"display_name": user.name or user.email}

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey {number}").format(number=number)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last factor cannot go while one is needed."""
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=factor.FACTORS)
        return not settings.SECOND_FACTOR_REQUIRED or others.exclude(pk=authenticator.pk).exists()


def verify_address(user: AbstractBaseUser) -> None:
    """The mailbox was reached: by invitation, or by a link that the operator handed over."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
