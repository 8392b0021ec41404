"""People in Django's own administration: making them, their limits, and one-time links for them."""

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from playground.accounts.models import ApiKey, User
from playground.accounts.welcome import create_link

# Django's own classes take no type parameters at run time.
if TYPE_CHECKING:
    _UserAdmin = UserAdmin[User]
    _KeyAdmin = admin.ModelAdmin[ApiKey]
else:
    _UserAdmin, _KeyAdmin = UserAdmin, admin.ModelAdmin


_LIMITS = ("max_concurrent_sessions", "max_sessions_per_day", "max_cpu_seconds_per_day", "max_egress_bytes_per_day")


@admin.register(User)
class PersonAdmin(_UserAdmin):
    """Django's page for people, with the limits of each and one-time links."""

    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        ("Limits", {"fields": _LIMITS}),
    )
    actions = ["make_welcome_links"]

    @admin.action(description="Make a one-time sign-in link")
    def make_welcome_links(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Shows one link for each; it is not kept readable anywhere."""
        if not getattr(request.user, "is_superuser", False):
            self.message_user(request, "Only a superuser may sign in others.", messages.ERROR)
            return
        for person in people.filter(is_active=True):
            self.message_user(request, f"{person.username}: {create_link(person)}", messages.SUCCESS)


@admin.register(ApiKey)
class ApiKeyAdmin(_KeyAdmin):
    """Which keys exist. They are made and revoked by their owners."""

    list_display = ("prefix", "name", "user", "created_at", "last_used_at", "revoked_at")
    readonly_fields = ("user", "name", "prefix", "created_at", "last_used_at")
    exclude = ("digest",)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """A key that somebody else made would be a key that somebody else knows."""
        return False
