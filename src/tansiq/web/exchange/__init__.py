"""The links of this node to its peers: how each stands, what waits, what a person has to do."""
