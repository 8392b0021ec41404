"""Passwords of people that tests make."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """The site's own way with one round. The site reads it, and hashes anew when somebody signs in."""

    iterations = 1
