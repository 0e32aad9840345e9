"""Why a line is no event: the closed set of reasons, each with its words for people."""

from __future__ import annotations

from tansiq.core.errors import N_

REASONS: dict[str, str] = {
    "line.too_long": N_(
        "The line is longer than the limit; its beginning is kept here, the whole of it in the stored report."
    ),
    "fields.missing": N_("The line has fewer fields than the header."),
    "fields.extra": N_("The line has more fields than the header."),
    "quote.unbalanced": N_("A quotation mark opens or closes without its counterpart."),
    "json.invalid": N_("The line is not a JSON object."),
    "time.invalid": N_("The time cannot be read."),
    "ip.invalid": N_("The address is neither IPv4 nor IPv6."),
    "asn.invalid": N_("The AS number cannot be read."),
    "host.invalid": N_("The host name cannot be one."),
    "url.invalid": N_("The URL cannot be read."),
    "value.unknown": N_("The value is no address, prefix, host name or URL."),
    "record.invalid": N_("The record does not follow the feed's schema."),
}
