"""Signing in: passwords and passkeys by django-allauth, the second factor always, limits that lock nobody out."""
