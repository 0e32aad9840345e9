"""What the desk's codes and mistakes are called."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from tansiq.core.errors import TansiqError
from tansiq.web.directory import words

KINDS = {**words.CONTACT_KINDS, **words.CLAIM_KINDS}
WEAK = {
    "algorithm": pgettext_lazy("certificate", "weak: {algorithm} of {bits} bits"),
    "hash": pgettext_lazy("certificate", "weak: bound by {hash}"),
}
SHORT_FLAGS = {
    "contacts.primary_missing": pgettext_lazy("flag", "primary contact"),
    "contacts.backup_missing": pgettext_lazy("flag", "backup contact"),
    "contacts.day_and_night_missing": pgettext_lazy("flag", "day and night channel"),
    "contacts.unconfirmed": pgettext_lazy("flag", "confirmation of contacts"),
    "certificate.missing": pgettext_lazy("flag", "certificate"),
}
UNBOUND = pgettext_lazy("certificate", "not held together by a valid signature of its own")
REVOCATIONS = {
    "unspecified": pgettext_lazy("revocation", "no reason is given"),
    "superseded": pgettext_lazy("revocation", "another key took its place"),
    "compromised": pgettext_lazy("revocation", "somebody else may hold the key"),
    "retired": pgettext_lazy("revocation", "the key is no longer used"),
    "user_id_invalid": pgettext_lazy("revocation", "the name is no longer right"),
}


def told(error: TansiqError) -> str:
    """What happened and what to do, in the reader's language; codes among the values in words, too."""
    values = dict(error.values)
    if (kind := values.get("kind")) in KINDS:
        values["kind"] = KINDS[kind]
    return " ".join(_(said).format(**values) for said in (error.message, error.remedy) if said)


def finding(code: str, values: dict[str, Any]) -> str:
    """What is wrong with a certificate, with the values that say how."""
    if code == "weak":
        return str(WEAK["hash" if "hash" in values else "algorithm"]).format(**values)
    if code == "unbound":
        return str(UNBOUND)
    said = str(words.FINDINGS.get(code, code))
    if code == "wrong_address":
        return f"{said}: {values['address']}"
    if code == "revoked" and values.get("reason") in REVOCATIONS:
        return f"{said}: {REVOCATIONS[values['reason']]}"
    return said
