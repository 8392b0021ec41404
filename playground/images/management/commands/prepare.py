"""`manage.py prepare`: the database and all that every site starts with."""

import asyncio

from django.core.management import call_command
from django.core.management.base import BaseCommand

from playground.images.catalogue import sync_catalogue
from playground.sessions.enforceable import enforceable_egress
from playground.sessions.profiles import default_profiles_are_there, ensure_default_profiles


class Command(BaseCommand):
    help = "Migrate the database and write the default profiles and the catalogue. Safe to repeat; builds no image."

    def handle(self, *_args: object, **options: object) -> None:
        """Each step can be repeated."""
        call_command("migrate", interactive=False, verbosity=0)
        if not default_profiles_are_there():
            ensure_default_profiles(asyncio.run(enforceable_egress()))
        count = sync_catalogue()
        if options["verbosity"]:
            self.stdout.write(f"database ready, {count} images in the catalogue")
