"""Whose constituency an event concerns, how sure we are, and why.

``verdicts`` is the rule, ``compile`` turns claims and address tables into flat arrays, ``table`` asks them for millions
of events, ``whois`` for one address with nothing but the standard library. Nothing is imported here: a short question
gets a short wait.
"""
