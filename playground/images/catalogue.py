"""The catalogue's rows, from the recipes and references that come with the project."""

from django.db.models import Q

from playground.images.models import Image, ImageState
from runtime.images.catalogue import CATALOGUE


def sync_catalogue() -> int:
    """Writes what comes with the project; answers how many images that is. Safe to repeat.

    Images that an administrator added stay as they are, and so does what an administrator decides: whether an image is
    enabled, and how large its pool is. An image that is made in another way now is prepared again.
    """
    for position, entry in enumerate(CATALOGUE):
        described = {
            "title": entry.title,
            "description": entry.description,
            "registry_reference": entry.registry_reference or "",
            "recipe": entry.recipe or "",
            "built_reference": entry.reference,
            "shell": list(entry.shell),
            "command": list(entry.command),
            "tags": list(entry.tags),
            "position": position,
        }
        image, created = Image.objects.get_or_create(
            slug=entry.slug, defaults={**described, "pool_size": entry.pool_size}
        )
        if not created:
            made_otherwise = ~Q(registry_reference=described["registry_reference"]) | ~Q(
                built_reference=entry.reference
            )
            Image.objects.filter(made_otherwise, pk=image.pk, state=ImageState.READY).update(state=ImageState.ABSENT)
            Image.objects.filter(pk=image.pk).update(**described)
    return len(CATALOGUE)
