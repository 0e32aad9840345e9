"""A federation of real nodes on one machine, to load it, to break it and to prove what it promises.

Each node is a process of its own, without pages, with its own database and keys; all are children of one process that
has the program loaded already, so that they share its memory, and meet at one message server.
"""
