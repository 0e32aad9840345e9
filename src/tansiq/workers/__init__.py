"""The loops a node runs: collect, parse, attribute, store."""
