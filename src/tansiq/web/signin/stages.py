"""The one stage between the password and the session: the factor that the person has."""

from __future__ import annotations

from allauth.account.authentication import get_authentication_records
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest

from tansiq.web.signin.factor import PROVIDER_FACTOR


class AskFactor(AuthenticateStage):
    """Asks, unless a passkey was the way in, or the identity provider asked and is trusted to have done so."""

    def _should_handle(self, request: HttpRequest) -> bool:
        records = get_authentication_records(request, self.login.user)
        if any(record.get("method") == PROVIDER_FACTOR for record in records):
            return False
        return super()._should_handle(request)
