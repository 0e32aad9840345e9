"""The register's codes in the reader's words."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

CATEGORIES = {
    "full": pgettext_lazy("membership", "Full Member"),
    "general": pgettext_lazy("membership", "General Member"),
    "affiliate": pgettext_lazy("membership", "Affiliate Member"),
    "commercial": pgettext_lazy("membership", "Commercial Member"),
    "professional": pgettext_lazy("membership", "Professional Member"),
    "fellow": pgettext_lazy("membership", "Fellow"),
    "honorary": pgettext_lazy("membership", "Honorary Member"),
    "partner": pgettext_lazy("membership", "Partner"),
}
STANDINGS = {
    "active": pgettext_lazy("membership", "active"),
    "suspended": pgettext_lazy("membership", "suspended"),
    "revoked": pgettext_lazy("membership", "revoked"),
    "withdrawn": pgettext_lazy("membership", "withdrawn"),
    "expired": pgettext_lazy("membership", "expired"),
}
TONES = {"active": "good", "suspended": "warn", "revoked": "bad", "withdrawn": "quiet", "expired": "quiet"}
KINDS = {
    "national": pgettext_lazy("team", "national"),
    "government": pgettext_lazy("team", "governmental"),
    "sectoral": pgettext_lazy("team", "sectoral"),
    "academic": pgettext_lazy("team", "academic"),
    "commercial": pgettext_lazy("team", "commercial"),
    "other": pgettext_lazy("team", "other"),
}
CLAIM_KINDS = {
    "country": pgettext_lazy("claim", "Country"),
    "cidr": pgettext_lazy("claim", "Prefix"),
    "asn": pgettext_lazy("claim", "AS number"),
    "domain": pgettext_lazy("claim", "Domain"),
}
CONTACT_KINDS = {
    "email": pgettext_lazy("contact", "e-mail"),
    "phone": pgettext_lazy("contact", "telephone"),
    "fax": pgettext_lazy("contact", "fax"),
    "web": pgettext_lazy("contact", "web"),
    "post": pgettext_lazy("contact", "post"),
}
POSTS = {
    "primary": pgettext_lazy("contact", "Primary point of contact"),
    "backup": pgettext_lazy("contact", "Backup point of contact"),
    "duty": pgettext_lazy("contact", "Duty officer"),
    "general": pgettext_lazy("contact", "General"),
}
HOURS = {
    "24x7": pgettext_lazy("contact", "day and night"),
    "office": pgettext_lazy("contact", "office hours"),
}
FLAGS = {
    "contacts.primary_missing": pgettext_lazy("flag", "No primary point of contact is named."),
    "contacts.backup_missing": pgettext_lazy("flag", "No backup point of contact is named."),
    "contacts.day_and_night_missing": pgettext_lazy("flag", "No channel is answered day and night."),
    "contacts.unconfirmed": pgettext_lazy("flag", "The contact data were not confirmed within the last four months."),
    "certificate.missing": pgettext_lazy("flag", "No valid OpenPGP certificate of the team is known."),
}
CLAIM_STATES = {
    "verified": pgettext_lazy("claim", "verified"),
    "proposed": pgettext_lazy("claim", "proposed, without effect"),
    "refused": pgettext_lazy("claim", "refused"),
    "ended": pgettext_lazy("claim", "ended"),
}
CLAIM_TONES = {"verified": "good", "proposed": "info", "refused": "bad", "ended": "quiet"}
FINDINGS = {
    "expired": pgettext_lazy("certificate", "expired"),
    "expires_soon": pgettext_lazy("certificate", "expires soon"),
    "revoked": pgettext_lazy("certificate", "revoked"),
    "weak": pgettext_lazy("certificate", "weak"),
    "no_encryption_subkey": pgettext_lazy("certificate", "cannot be encrypted to"),
    "no_signing_key": pgettext_lazy("certificate", "cannot sign"),
    "wrong_address": pgettext_lazy("certificate", "names no address of the team"),
    "v6_only": pgettext_lazy("certificate", "GnuPG cannot read it"),
}
