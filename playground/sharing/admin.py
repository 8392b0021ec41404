"""Links and guests in Django's administration: to look at. Rows are written by the services alone."""

from typing import TYPE_CHECKING

from django.contrib import admin

from playground.sessions.admin import ReadOnly
from playground.sharing.models import Guest, ShareLink

# Django's own classes take no type parameters at run time.
if TYPE_CHECKING:
    _Links = admin.ModelAdmin[ShareLink]
    _Guests = admin.ModelAdmin[Guest]
else:
    _Links = _Guests = admin.ModelAdmin


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnly, _Links):
    list_display = ["session", "role", "made_by", "created_at", "expires_at", "revoked_at"]
    list_filter = ["role"]
    list_select_related = ["session", "made_by"]
    exclude = ["digest"]


@admin.register(Guest)
class GuestAdmin(ReadOnly, _Guests):
    list_display = ["name", "session", "state", "person", "created_at", "seen_at"]
    list_filter = ["state"]
    list_select_related = ["session", "person"]
    exclude = ["digest"]
