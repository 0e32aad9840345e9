"""What mail says of a change to somebody's account, by allauth's name for it."""

from __future__ import annotations

from django.utils.translation import gettext as _

SILENT = frozenset(
    {
        "account/messages/logged_in.txt",
        "account/messages/logged_out.txt",
        "mfa/messages/recovery_codes_generated.txt",
        "mfa/messages/totp_activated.txt",
        "mfa/messages/webauthn_added.txt",
    }
)


def changed(event: str) -> str:
    said = {
        "account/email/password_changed": _("The password was changed."),
        "account/email/password_set": _("A password was set."),
        "account/email/password_reset": _("The password was replaced by way of a mail."),
        "mfa/email/totp_activated": _("An authenticator app was added."),
        "mfa/email/totp_deactivated": _("The authenticator app was removed."),
        "mfa/email/webauthn_added": _("A passkey was added."),
        "mfa/email/webauthn_removed": _("A passkey was removed."),
        "mfa/email/recovery_codes_generated": _("New recovery codes were made; the old ones no longer work."),
        "socialaccount/email/account_connected": _("The account was linked to your identity provider."),
        "socialaccount/email/account_disconnected": _("The link to your identity provider was removed."),
    }
    return said[event]
