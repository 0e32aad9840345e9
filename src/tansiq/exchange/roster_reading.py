"""The text of a roster read (section 10.1). It is read after its signatures, or its digest, have proven it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from re import Pattern
from typing import Any

from tansiq.core.claims import KINDS, Claim, Kind
from tansiq.core.errors import TansiqError
from tansiq.exchange import canonical, nkey, roster, values
from tansiq.exchange.fields import Fields
from tansiq.exchange.roster import (
    Former,
    NodeCertificate,
    Roster,
    RosterClaim,
    RosterNode,
    RosterPlatformKey,
    RosterTeam,
    Signers,
    Standing,
)
from tansiq.exchange.values import Unfit
from tansiq.openpgp.structure import structures

_KINDS: Mapping[str, Kind] = {kind: kind for kind in KINDS}


def read(text: str) -> Roster:
    """The roster that ``text`` says; ``read(text).written() == text``. Raises: Unfit, and nothing else."""
    fields = Fields(canonical.read_canonical(_encoded(text), limit_bytes=roster.LIMIT_BYTES), "roster")
    fields.whole("v", least=1, most=1)
    claims = Fields(fields.any("claims"), "claims")
    found = Roster(
        realm=fields.form("realm", values.REALM),
        epoch=fields.whole("epoch", least=1),
        issued_at=fields.moment("issued_at"),
        previous=fields.form("previous", values.DIGEST),
        signers=read_signers(fields.any("signers")),
        nodes=fields.items("nodes", _node, most=roster.MOST_NODES),
        teams=fields.items("teams", _team, most=roster.MOST_TEAMS),
        claims_number=claims.whole("number", least=0),
        claims=claims.items("list", _claim, most=roster.MOST_CLAIMS),
        former=fields.items("former", _former, most=roster.MOST_FORMER),
        claims_extra=claims.left(),
        extra=fields.left(),
    )
    check(found)
    return found


def check(found: Roster) -> None:
    """What its parts must be to each other; also of a roster made here, before it is signed. Raises: Unfit."""
    _ascend([one.code for one in found.nodes], "roster.nodes")
    _ascend([one.code for one in found.teams], "roster.teams")
    _ascend([one.order for one in found.claims], "claims.list")
    _ascend([one.order for one in found.former], "roster.former")
    if (found.epoch == 1) is not (found.previous == values.EMPTY_DIGEST):
        raise Unfit(field="roster.previous", expected="the digest of nothing at epoch 1 and only there")
    nodes, teams = {one.code for one in found.nodes}, {one.code for one in found.teams}
    _known([one.node for one in found.teams], nodes, "team.node")
    _known([one.team for one in found.nodes], teams, "node.team")
    _of_now(found, nodes, teams)
    _once([one.nkey for one in found.nodes], "node.nkey")
    _once([key.fingerprint for key in _keys(found)], "fingerprint")
    for key in _keys(found):
        if max(key.from_epoch, key.until_epoch or 0) > found.epoch:
            raise Unfit(field="from_epoch, until_epoch", expected="at most the roster's epoch")


def read_signers(said: Any) -> Signers:
    """Raises: Unfit."""
    fields = Fields(said, "signers")
    pairs = fields.items("certificates", _signer, most=roster.MOST_SIGNERS)
    _ascend([fingerprint for fingerprint, _certificate in pairs], "signers.certificates")
    threshold = fields.whole("threshold", least=1, most=max(len(pairs), 1))
    if not pairs:
        raise Unfit(field="signers.certificates", expected="at least one")
    return Signers(threshold=threshold, certificates=dict(pairs), extra=fields.left())


def fingerprint_of(certificate: bytes) -> str:
    """Of the one certificate that ``certificate`` (binary) is. Raises: Unfit."""
    try:
        found = structures(certificate)
    except TansiqError:
        found = []
    if len(found) != 1:
        raise Unfit(field="certificate", expected="one OpenPGP certificate")
    return found[0].primary.fingerprint


def fingerprints(found: Roster) -> set[str]:
    """Of all keys of nodes and teams that a roster names, those of the past among them."""
    return {key.fingerprint for key in _keys(found)}


def flag(fields: Fields, name: str) -> bool:
    """True or false. Raises: Unfit."""
    value = fields.any(name)
    if type(value) is not bool:
        raise Unfit(field=name, expected="true or false")
    return value


def certificate(fields: Fields) -> tuple[str, bytes]:
    """``fingerprint`` and ``certificate``, which have to be of each other. Raises: Unfit."""
    fingerprint = fields.form("fingerprint", values.FINGERPRINT)
    data = fields.bytes("certificate", longest=roster.LONGEST_CERTIFICATE_BYTES)
    if len(data) > roster.LONGEST_CERTIFICATE_BYTES or fingerprint_of(data) != fingerprint:
        raise Unfit(field="fingerprint", expected="the certificate's")
    return fingerprint, data


def public_nkey(fields: Fields) -> str:
    """Of a user, its checksum right. Raises: Unfit."""
    text = fields.text("nkey", longest=64)
    if not nkey.is_public(text):
        raise Unfit(field="nkey", expected="a user's public NKey")
    return text


def _signer(said: Any) -> tuple[str, bytes]:
    fields = Fields(said, "signer")
    pair = certificate(fields)
    if fields.left():
        raise Unfit(field="signer", expected="a fingerprint and a certificate")
    return pair


def _node(said: Any) -> RosterNode:
    fields = Fields(said, "node")
    return RosterNode(
        code=fields.form("code", values.CODE),
        certificates=_certificates(fields),
        nkey=public_nkey(fields),
        forwards=flag(fields, "forwards"),
        mail=fields.form("mail", roster.MAIL),
        team=_code_or_none(fields, "team"),
        state=fields.one_of("state", Standing),
        extra=fields.left(),
    )


def _certificates(fields: Fields) -> tuple[NodeCertificate, ...]:
    found = fields.items("certificates", _certificate, most=roster.MOST_KEYS)
    _ascend([one.fingerprint for one in found], "certificates")
    return found


def _certificate(said: Any) -> NodeCertificate:
    fields = Fields(said, "certificates")
    fingerprint, data = certificate(fields)
    from_epoch = fields.whole("from_epoch", least=1)
    return NodeCertificate(
        fingerprint=fingerprint,
        certificate=data,
        from_epoch=from_epoch,
        until_epoch=_until(fields, from_epoch),
        revoked=flag(fields, "revoked"),
        extra=fields.left(),
    )


def _team(said: Any) -> RosterTeam:
    fields = Fields(said, "team")
    categories = fields.items("categories", _formed(roster.CATEGORY, "team.categories"), most=32)
    _ascend(categories, "team.categories")
    return RosterTeam(
        code=fields.form("code", values.CODE),
        names=_names(fields.any("names")),
        country=fields.form("country", roster.COUNTRY),
        categories=categories,
        community=flag(fields, "community"),
        node=_code_or_none(fields, "node"),
        platform_keys=_platform_keys(fields),
        state=fields.one_of("state", Standing),
        extra=fields.left(),
    )


def _names(said: Any) -> dict[str, str]:
    fields = Fields(said, "team.names")
    languages = list(fields.left())
    if not 1 <= len(languages) <= 16 or not all(map(roster.LANGUAGE.fullmatch, languages)):
        raise Unfit(field="team.names", expected="names by language")
    return {language: fields.text(language, longest=roster.LONGEST_NAME) for language in languages}


def _platform_keys(fields: Fields) -> tuple[RosterPlatformKey, ...]:
    found = fields.items("platform_keys", _platform_key, most=roster.MOST_KEYS)
    _ascend([one.fingerprint for one in found], "platform_keys")
    return found


def _platform_key(said: Any) -> RosterPlatformKey:
    fields = Fields(said, "platform_keys")
    fingerprint, data = certificate(fields)
    from_epoch = fields.whole("from_epoch", least=1)
    return RosterPlatformKey(
        fingerprint=fingerprint,
        certificate=data,
        node=fields.form("node", values.CODE),
        from_epoch=from_epoch,
        until_epoch=_until(fields, from_epoch),
        struck=flag(fields, "struck"),
        extra=fields.left(),
    )


def _claim(said: Any) -> RosterClaim:
    fields = Fields(said, "claim")
    kind = _KINDS.get(fields.text("kind", longest=16))
    if kind is None:
        raise Unfit(field="claim.kind", expected=" or ".join(KINDS))
    claim = Claim(
        team=fields.form("team", values.CODE),
        kind=kind,
        value=_some(fields, "value", 253),
        valid_from=_optional_moment(fields, "valid_from"),
        valid_until=_optional_moment(fields, "valid_until"),
        source=_optional(fields, "source", 300),
        decision=_optional(fields, "decision", 300),
    )
    return RosterClaim(claim=claim, extra=fields.left())


def _former(said: Any) -> Former:
    fields = Fields(said, "former")
    what = fields.text("what", longest=8)
    if what not in ("node", "team"):
        raise Unfit(field="former.what", expected="node or team")
    found = Former(
        code=fields.form("code", values.CODE),
        what=what,
        epoch=fields.whole("epoch", least=1),
        removed_at=fields.moment("removed_at"),
        certificates=_certificates(fields),
        platform_keys=_platform_keys(fields),
        extra=fields.left(),
    )
    if (found.certificates if what == "team" else found.platform_keys) or not all(
        key.struck for key in found.platform_keys
    ):
        raise Unfit(field="former", expected="certificates of a node, or struck keys of a team")
    return found


def _of_now(found: Roster, nodes: set[str], teams: set[str]) -> None:
    for one in found.former:
        if one.code in (nodes if one.what == "node" else teams):
            raise Unfit(field="former.code", expected="none of now")
        if not 1 < one.epoch <= found.epoch:
            raise Unfit(field="former.epoch", expected="from 2 to the roster's epoch")


def _keys(found: Roster) -> list[NodeCertificate | RosterPlatformKey]:
    keys: list[NodeCertificate | RosterPlatformKey] = []
    for node in found.nodes:
        keys += node.certificates
    for team in found.teams:
        keys += team.platform_keys
    for former in found.former:
        keys += [*former.certificates, *former.platform_keys]
    return keys


def _until(fields: Fields, least: int) -> int | None:
    if fields.left().get("until_epoch", 0) is None:
        fields.any("until_epoch")
        return None
    return fields.whole("until_epoch", least=least)


def _code_or_none(fields: Fields, name: str) -> str:
    text = fields.text(name, longest=32)
    if text and not values.CODE.fullmatch(text):
        raise Unfit(field=name, expected=values.CODE.pattern)
    return text


def _some(fields: Fields, name: str, longest: int) -> str:
    text = fields.text(name, longest=longest)
    if not text:
        raise Unfit(field=name, expected="a text, not an empty one")
    return text


def _optional(fields: Fields, name: str, longest: int) -> str:
    return _some(fields, name, longest) if name in fields.left() else ""


def _optional_moment(fields: Fields, name: str) -> datetime | None:
    return fields.moment(name) if name in fields.left() else None


def _formed(form: Pattern[str], what: str) -> Callable[[Any], str]:
    def read_one(said: Any) -> str:
        if type(said) is not str or not form.fullmatch(said):
            raise Unfit(field=what, expected=form.pattern)
        return said

    return read_one


def _ascend(items: Sequence[Any], what: str) -> None:
    if any(not one < other for one, other in pairwise(items)):
        raise Unfit(field=what, expected="in order, none twice")


def _once(items: Sequence[str], what: str) -> None:
    if len(set(items)) != len(items):
        raise Unfit(field=what, expected="nowhere else in the roster")


def _known(codes: Sequence[str], known: set[str], what: str) -> None:
    if not known.issuperset(code for code in codes if code):
        raise Unfit(field=what, expected="in the roster")


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Unfit(field="JSON", expected="text without halves of surrogate pairs") from None
