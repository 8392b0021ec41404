"""The catalogue in Django's administration."""

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from playground.images import services
from playground.images.models import Image

# Django's own classes take no type parameters at run time.
if TYPE_CHECKING:
    _Images = admin.ModelAdmin[Image]
else:
    _Images = admin.ModelAdmin


@admin.register(Image)
class ImageAdmin(_Images):
    list_display = ["slug", "title", "state", "progress", "source", "size_bytes", "pool_size", "enabled", "message"]
    list_editable = ["pool_size", "enabled"]
    list_filter = ["state", "enabled", "source"]
    search_fields = ["slug", "title", "reference"]
    readonly_fields = [
        *("reference", "state", "state_changed_at", "attempts", "heartbeat_at", "progress", "message"),
        *("source", "digest", "size_bytes", "layers"),
    ]
    actions = ["prepare"]

    @admin.action(description="Prepare now, also when it failed")
    def prepare(self, request: HttpRequest, queryset: QuerySet[Image]) -> None:
        """Asks a worker for each."""
        for image in queryset:
            services.retry(image)
        self.message_user(request, "A worker prepares them one after the other.", messages.SUCCESS)
