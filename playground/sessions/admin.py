"""Sessions in Django's administration: to look at, and to end. Rows are written by the services alone."""

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from playground.sessions.ending import force_end
from playground.sessions.models import Event, Lease, Machine, MachineUsage, PersonHour, Profile, Session, Terminal
from playground.sessions.services import stop
from playground.sessions.states import Reason, SessionState

# Django's own classes take no type parameters at run time.
if TYPE_CHECKING:
    _MachineInline = admin.TabularInline[Machine, Session]
    _EventInline = admin.TabularInline[Event, Session]
    _Sessions = admin.ModelAdmin[Session]
    _Machines = admin.ModelAdmin[Machine]
    _Terminals = admin.ModelAdmin[Terminal]
    _Events = admin.ModelAdmin[Event]
    _Leases = admin.ModelAdmin[Lease]
    _Profiles = admin.ModelAdmin[Profile]
    _Usage = admin.ModelAdmin[MachineUsage]
    _Hours = admin.ModelAdmin[PersonHour]
else:
    _MachineInline = _EventInline = admin.TabularInline
    _Sessions = _Machines = _Terminals = _Events = _Leases = _Profiles = _Usage = _Hours = admin.ModelAdmin


class ReadOnly:
    """Nobody adds, changes or deletes here."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class MachineInline(ReadOnly, _MachineInline):
    model = Machine
    # Shown only: a machine's id can't be edited, so that no form may hold it.
    fields = ("id", "name", "hostname", "image", "state", "created_at", "deadline_at")
    readonly_fields = ["id"]
    extra = 0


class EventInline(ReadOnly, _EventInline):
    model = Event
    fields = ["at", "kind", "data"]
    extra = 0


@admin.register(Session)
class SessionAdmin(ReadOnly, _Sessions):
    list_display = [
        "name",
        "owner",
        "image",
        "profile",
        "state",
        "reason",
        "created_at",
        "expires_at",
        "ended_at",
        "watch",
    ]
    list_filter = ["state", "reason", "image", "profile"]
    search_fields = ["name", "id", "owner__username", "hostname"]
    date_hierarchy = "created_at"
    list_select_related = ["owner"]
    # What people pass to their programs may be secret, and is nobody else's business.
    exclude = ["environment", "environment_names"]
    inlines = [MachineInline, EventInline]
    actions = ["end", "force_end"]

    @admin.display(description="")
    def watch(self, session: Session) -> str:
        """Leads to where an administrator comes in; its owner is told."""
        if session.state == SessionState.ENDED:
            return ""
        return format_html('<a href="/sessions/{}/watch">Watch</a>', session.pk)

    @admin.action(description="End these sessions", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """Stops each with the reason `admin`."""
        count = sum(stop(session, Reason.ADMIN) for session in queryset)
        self.message_user(request, f"{count} sessions are being ended.", messages.SUCCESS)

    @admin.action(description="Force the end of these sessions, also of those that are stuck", permissions=["end"])
    def force_end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """Ends each at once, whatever its state, with the reason `admin`; also while the engine is gone."""
        count = sum(force_end(session_id) for session_id in queryset.values_list("pk", flat=True))
        self.message_user(request, f"{count} sessions have ended. Their machines go as soon as the engine lets them.")

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Whoever may change sessions."""
        return request.user.has_perm("playground_sessions.change_session")


@admin.register(Machine)
class MachineAdmin(ReadOnly, _Machines):
    list_display = ["hostname", "id", "image", "profile", "state", "session", "created_at", "deadline_at"]
    list_filter = ["state", "image", ("session", admin.EmptyFieldListFilter)]
    search_fields = ["hostname", "id"]
    list_select_related = ["session"]


@admin.register(Terminal)
class TerminalAdmin(ReadOnly, _Terminals):
    list_display = ["name", "id", "machine", "is_main", "created_at"]
    # A command's arguments may be secret.
    exclude = ["command"]
    list_select_related = ["machine"]


@admin.register(Event)
class EventAdmin(ReadOnly, _Events):
    list_display = ["at", "kind", "session", "data"]
    list_filter = ["kind"]
    list_select_related = ["session"]


@admin.register(Lease)
class LeaseAdmin(ReadOnly, _Leases):
    list_display = ["name", "until"]


@admin.register(Profile)
class ProfileAdmin(_Profiles):
    list_display = [
        "slug",
        "title",
        "is_default",
        "memory_bytes",
        "cpus",
        "pids",
        "egress",
        "requires",
        "lifetime_seconds",
    ]


@admin.register(MachineUsage)
class MachineUsageAdmin(ReadOnly, _Usage):
    list_display = ["machine", "sampled_at", "cpu_seconds", "cpu_credit", "memory_bytes", "disk_bytes", "oom_kills"]
    list_select_related = ["machine"]


@admin.register(PersonHour)
class PersonHourAdmin(ReadOnly, _Hours):
    list_display = ["owner", "hour", "cpu_seconds", "egress_bytes"]
    list_select_related = ["owner"]
