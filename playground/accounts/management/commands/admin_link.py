"""`manage.py admin_link [USERNAME]`: prints a one-time sign-in link."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from playground.accounts.models import User
from playground.accounts.welcome import administrator, create_link


class Command(BaseCommand):
    # Their warnings have no place beside the one line that this prints.
    requires_system_checks = ()
    help = "Prints a link that signs in once and leads to choosing a password: the administrator's, or a person's."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose link; nobody means the administrator, who is made when missing."""
        parser.add_argument("username", nargs="?", default="")
        parser.add_argument(
            "--first-start", action="store_true", help="print nothing once any administrator has signed in"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Earlier unused links of that person end."""
        if options["first_start"] and User.objects.filter(is_superuser=True, last_login__isnull=False).exists():
            return
        self.stdout.write(create_link(self._person(options["username"])))

    def _person(self, username: str) -> User:
        if not username:
            return administrator()
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active person with the user name {username!r}.")
        return user
