"""Secrets that people carry: 256 random bits, of which only the hash is kept."""

import hashlib
import secrets


def new_token() -> tuple[str, str]:
    """A secret, and its digest."""
    token = secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    """SHA-256, hexadecimal. Finding a row by it tells nobody how much of a guess was right."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
