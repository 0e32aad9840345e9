"""Tansiq: the platform on which a federation of national CERTs works."""

__version__ = "0.1.0"
