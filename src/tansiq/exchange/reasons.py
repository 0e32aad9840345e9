"""Reason codes (section 17): what a receipt, a skip or the store of junk says."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Of what is parked, refused or quarantined."""

    CLOCK = "clock"
    EPOCH = "epoch"
    REMOVED = "removed"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "author.unknown_key"
    SIGNATURE = "author.signature"
    NOT_THERE = "author.not_there"
    MARKING = "marking"
    NOT_ENTITLED = "not_entitled"
    NOT_OWNER = "not_owner"
    KIND = "kind"
    PAYLOAD = "payload"
    REFERENCE = "reference"
    BLOB = "blob"
    ORDER = "order"
    VERSION = "version"
    DELETED = "deleted"
    LIMIT = "limit"
    EVIDENCE = "evidence"
    LAW = "law"
    UNREACHABLE = "unreachable"
    CLONE = "clone"


class JunkReason(StrEnum):
    """Of what nobody known has sent (section 5, up to 5.7). Stays on this node: no receipt says it."""

    SIZE = "size"
    BOMB = "bomb"
    NOT_OPENED = "not_opened"
    SIGNER = "signer"
    UNPROVEN = "unproven"  # names a known certificate, and is not valid now: a clock, or a forgery
    JSON = "json"
    BODY = "body"
    REALM = "realm"
    ADDRESS = "address"
