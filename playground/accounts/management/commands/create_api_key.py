"""`manage.py create_api_key USERNAME`: prints a new key of that person and nothing else."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from playground.accounts.keys import create_key
from playground.accounts.models import User
from playground.errors import SiteError


class Command(BaseCommand):
    # Their warnings have no place beside the one line that this prints.
    requires_system_checks = ()
    help = "Prints a new API key of a person and nothing else. It can't be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who the key is for, and what it is called."""
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what the key is for")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Fails, and makes nothing, when there is no such person."""
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no person with the user name {options['username']!r}.")
        name = str(options["name"]).strip()
        if not 1 <= len(name) <= 100:
            raise CommandError("--name has 1 to 100 characters.")
        try:
            _, key = create_key(user, name)
        except SiteError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(key)
