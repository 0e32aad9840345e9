"""Write small MaxMind DB files for tests (https://maxmind.github.io/MaxMind-DB/)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

Node = list[Any]  # two records: None, a Node, or the bytes of a data record


def mmdb(
    networks: dict[str, Any],
    *,
    record_size: int = 24,
    ip_version: int = 6,
    built: int = 1_700_000_000,
    aliases: int = 0,
) -> bytes:
    """The file. IPv4 networks lie under ::/96 of an IPv6 tree; ``aliases`` lets 2002::/16 lead to them as well."""
    root: Node = [None, None]
    for text, record in sorted(networks.items(), key=lambda item: ip_network(item[0]).prefixlen):
        network = ip_network(text)
        bits = 128 if ip_version == 6 else 32
        length = network.prefixlen + (96 if ip_version == 6 and network.version == 4 else 0)
        _insert(root, int(network.network_address), length, bits, _encoded(record))
    if aliases:
        four = root
        for _ in range(96):
            four = four[0]
        _insert(root, 0x2002 << 112, 16, 128, four)
    tree, data = _flat(root, record_size)
    meta = {
        "node_count": len(tree) * 8 // (record_size * 2),
        "record_size": record_size,
        "ip_version": ip_version,
        "database_type": "Test",
        "languages": [],
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": built,
        "description": {"en": "test"},
    }
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + _encoded(meta)


def _insert(root: Node, address: int, length: int, bits: int, value: Any) -> None:
    node = root
    for depth in range(length - 1):
        side = address >> (bits - 1 - depth) & 1
        if not isinstance(node[side], list):
            node[side] = [node[side], node[side]]
        node = node[side]
    node[address >> (bits - length) & 1] = value


def _flat(root: Node, record_size: int) -> tuple[bytes, bytes]:
    order: list[Node] = []
    number: dict[int, int] = {}
    todo = [root]
    while todo:
        node = todo.pop(0)
        if id(node) not in number:
            number[id(node)] = len(order)
            order.append(node)
            todo += [side for side in node if isinstance(side, list)]
    data, offset = b"", {}
    for node in order:
        for side in node:
            if isinstance(side, bytes) and side not in offset:
                offset[side] = len(data)
                data += side

    def pointer(side: Any) -> int:
        if side is None:
            return len(order)
        return number[id(side)] if isinstance(side, list) else len(order) + 16 + offset[side]

    return b"".join(_node(pointer(node[0]), pointer(node[1]), record_size) for node in order), data


def _node(left: int, right: int, record_size: int) -> bytes:
    if record_size == 28:
        middle = (left >> 24) << 4 | right >> 24
        return (left & 0xFFFFFF).to_bytes(3) + bytes([middle]) + (right & 0xFFFFFF).to_bytes(3)
    return left.to_bytes(record_size // 8) + right.to_bytes(record_size // 8)


KINDS = {  # of whole numbers: readers insist on them in the metadata; 5 has 16 bits, 6 has 32, 9 has 64
    "record_size": 5,
    "ip_version": 5,
    "binary_format_major_version": 5,
    "binary_format_minor_version": 5,
    "build_epoch": 9,
}


def _encoded(value: Any, kind: int = 6) -> bytes:
    if isinstance(value, str):
        return _control(2, len(value.encode())) + value.encode()
    if isinstance(value, int):
        raw = value.to_bytes((value.bit_length() + 7) // 8)
        return _control(kind, len(raw)) + raw
    if isinstance(value, dict):
        fields = (_encoded(key) + _encoded(item, KINDS.get(key, 6)) for key, item in value.items())
        return _control(7, len(value)) + b"".join(fields)
    return _control(11, len(value)) + b"".join(map(_encoded, value))


def _control(kind: int, size: int) -> bytes:
    low, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return (bytes([kind << 5 | low]) if kind <= 7 else bytes([low, kind - 7])) + more
