"""The exchange between nodes, as docs/reference/exchange-protocol.md says: bodies, signatures, checks, channels."""
