"""What exists: sessions, their machines and terminals, the profiles that bound them, and what happened.

Only the services write these rows: `services`, `provisioning`, `pools`, `machines`, `recorded`, `reconcile` and
`usage`.
"""

import uuid
from pathlib import PurePosixPath

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from playground.host.reports import validate_names
from playground.images.models import Image
from playground.sessions.allowlist import entries_of, validate_allowed
from playground.sessions.states import MachineState, Reason, RecordingRule, SessionState
from runtime.engines.base import Egress

LIVE_MACHINE_STATES = [MachineState.CREATING.value, MachineState.READY.value]


def _choices(
    states: type[SessionState] | type[MachineState] | type[Reason] | type[Egress] | type[RecordingRule],
) -> list[tuple[str, str]]:
    return [(state.value, state.value) for state in states]


class Profile(models.Model):
    """A named set of limits. Bytes, cores, seconds."""

    slug = models.SlugField(primary_key=True, max_length=64)
    title = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    is_default = models.BooleanField(default=False)
    memory_bytes = models.BigIntegerField()
    cpus = models.FloatField()
    pids = models.PositiveIntegerField()
    disk_bytes = models.BigIntegerField()
    file_bytes = models.BigIntegerField()
    tmpfs_bytes = models.BigIntegerField()
    shm_bytes = models.BigIntegerField()
    nofile = models.PositiveIntegerField()
    cpu_baseline = models.FloatField(default=0)
    """Cores that are left when credit is used up, and at which it is earned. 0: no credits, always `cpus`."""
    cpu_credit_seconds = models.PositiveIntegerField(default=0)
    """The most credit, in seconds of one core; a machine begins with all of it."""
    disk_write_bytes_per_second = models.PositiveBigIntegerField(default=0)
    """To block devices. 0: no limit."""
    network_bytes = models.PositiveBigIntegerField(default=0)
    """Of one session, both ways together. 0: no limit."""
    egress = models.CharField(max_length=16, choices=_choices(Egress), default=Egress.NONE.value)
    allowed = models.TextField(blank=True, validators=[validate_allowed])
    """With egress `allowlist`: one host name or IPv4 network on each line."""
    download_bytes_per_second = models.PositiveBigIntegerField(default=0)
    """Into the machines of one session, from beyond it; 0: no limit."""
    upload_bytes_per_second = models.PositiveBigIntegerField(default=0)
    """Out of them; 0: no limit."""
    lifetime_seconds = models.PositiveIntegerField()
    """Of a session that asks for nothing else."""
    max_lifetime_seconds = models.PositiveIntegerField()
    """The most that a session can be asked for or extended to, from its start."""
    idle_seconds = models.PositiveIntegerField()
    requires = models.JSONField(default=list, blank=True, validators=[validate_names])
    """Names of capabilities: where the host has not all of them, the profile's sessions are refused."""
    recording = models.CharField(max_length=16, choices=_choices(RecordingRule), default=RecordingRule.ON_REQUEST.value)
    """Whether what terminals show is recorded."""
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.slug

    def clean(self) -> None:
        """An allow-list with nothing on it would be no egress, by another name."""
        if self.egress == Egress.ALLOWLIST and not entries_of(self.allowed):
            raise ValidationError({"allowed": "Name what may be reached, or choose another egress."})


class Session(models.Model):
    """What a person holds. The row stays as a tombstone when the session has ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sandbox_sessions")
    name = models.CharField(max_length=100)
    hostname = models.CharField(max_length=63)
    """Of its main machine, e.g. `quiet-otter`."""
    state = models.CharField(max_length=16, choices=_choices(SessionState), default=SessionState.PENDING.value)
    state_changed_at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=16, choices=_choices(Reason), blank=True)
    message = models.TextField(blank=True)
    """For a person: how the session ended, or what is being done while it starts."""
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="sessions")
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="sessions")
    egress = models.CharField(max_length=16, choices=_choices(Egress), default=Egress.NONE.value)
    allowed = models.TextField(blank=True)
    """What its machines reach, as in its profile: that, or less; settled when it is created."""
    command = models.JSONField(default=list)
    """argv of the main process instead of the image's own; empty: none asked for."""
    environment = models.JSONField(default=dict)
    """NAME to value, for every process that we start in it. May hold secrets: never shown, emptied when it ends."""
    environment_names = models.JSONField(default=list)
    """Of its variables, in order; they stay, so that its owner is told what a session started again does not have."""
    metadata = models.JSONField(default=dict)
    is_recorded = models.BooleanField(default=False)
    """What its terminals show is recorded, from their first byte on, until its end or until its owner stops that."""
    is_recording_required = models.BooleanField(default=False)
    """Its profile wanted it recorded when it was created: nobody can stop that."""
    recording_stopped_at = models.DateTimeField(null=True, blank=True)
    """When its owner did."""
    lifetime_seconds = models.PositiveIntegerField()
    idle_seconds = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    warned_lifetime = models.CharField(max_length=40, blank=True, default="")
    warned_idle = models.CharField(max_length=40, blank=True, default="")
    """The last warning that was given of its end; see `expiring`."""

    attempts = models.PositiveIntegerField(default=0)
    """How often somebody set out to start it. Also the token of the one who does: an older one finds that it lost."""
    lease_until = models.DateTimeField(null=True, blank=True)
    """Somebody works on it, or nobody should, until then. A worker that lives renews it."""
    begun_at = models.DateTimeField(null=True, blank=True)
    """When somebody last set out to start it: people take turns by it."""
    queued_at = models.DateTimeField(default=timezone.now)
    """When a worker was last asked to work on it."""

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["owner", "-created_at"]),
            models.Index(fields=["state", "state_changed_at"]),
            models.Index(fields=["state", "expires_at"]),
            models.Index(fields=["image", "state"]),
            models.Index(fields=["begun_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class PlannedMachine(models.Model):
    """A machine that a session is to have beside its main one, on the same network and with the same profile."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="planned")
    name = models.CharField(max_length=63)
    """What the others reach it by."""
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="planned")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["session", "name"], name="one_plan_per_name")]

    def __str__(self) -> str:
        return self.name


class Machine(models.Model):
    """One container. Without a session it belongs to the pool."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, null=True, blank=True, related_name="machines")
    name = models.CharField(max_length=63, default="main")
    hostname = models.CharField(max_length=63)
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="machines")
    image_digest = models.CharField(max_length=80, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    """Of the image and the limits that it was made with; a pool machine with another one is out of date."""
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="machines")
    state = models.CharField(max_length=16, choices=_choices(MachineState), default=MachineState.CREATING.value)
    state_changed_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    deadline_at = models.DateTimeField()
    """When sandboxd ends it by itself, as it was last told."""

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "name"], condition=Q(state__in=LIVE_MACHINE_STATES), name="one_machine_per_name"
            ),
            models.UniqueConstraint(
                fields=["hostname"], condition=Q(state__in=LIVE_MACHINE_STATES), name="one_machine_per_hostname"
            ),
        ]
        indexes = [
            models.Index(fields=["image", "profile", "state", "session"]),
            models.Index(fields=["state", "state_changed_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.hostname} ({self.state})"

    @property
    def is_live(self) -> bool:
        """Whether it exists or is about to, as opposed to going or gone."""
        return self.state in LIVE_MACHINE_STATES


class Terminal(models.Model):
    """A PTY in a machine; sandboxd knows it by `id.hex`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="terminals")
    name = models.CharField(max_length=100)
    command = models.JSONField(default=list)
    is_main = models.BooleanField(default=False)
    """Its process is the session's main process: when it ends, the machine ends."""
    is_kept = models.BooleanField(default=False)
    """sandboxd may be keeping its output for the recorder: its program waits rather than that output is lost. Set in
    the transaction that makes it known, taken back by the recorder, once it has told sandboxd that it takes no more."""
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_named(self) -> bool:
        """Whether somebody chose its name, as opposed to its command."""
        return not self.command or self.name != PurePosixPath(str(self.command[0])).name[:100]


class MachineUsage(models.Model):
    """What one machine has used. Stays as long as its session is remembered. Written by `usage` alone."""

    machine = models.OneToOneField(Machine, on_delete=models.CASCADE, primary_key=True, related_name="usage")
    version = models.PositiveIntegerField(default=0)
    """Grows with every write: whoever read an older one changes nothing."""
    sampled_at = models.DateTimeField()
    seen = models.JSONField(default=dict)
    """The engine's counters at the last reading, by name: what comes next is added to the totals below."""

    cpu_seconds = models.FloatField(default=0)
    throttled_seconds = models.FloatField(default=0)
    oom_kills = models.PositiveIntegerField(default=0)
    read_bytes = models.PositiveBigIntegerField(default=0)
    written_bytes = models.PositiveBigIntegerField(default=0)
    received_bytes = models.PositiveBigIntegerField(default=0)
    sent_bytes = models.PositiveBigIntegerField(default=0)

    memory_bytes = models.PositiveBigIntegerField(default=0)
    memory_peak_bytes = models.PositiveBigIntegerField(default=0)
    pids = models.PositiveIntegerField(default=0)
    pids_peak = models.PositiveIntegerField(default=0)
    disk_bytes = models.PositiveBigIntegerField(default=0)
    disk_peak_bytes = models.PositiveBigIntegerField(default=0)
    disk_files = models.PositiveIntegerField(default=0)
    disk_sampled_at = models.DateTimeField(null=True, blank=True)
    disk_warned = models.BooleanField(default=False)
    """Its owner was told that little is left, and has not freed enough since."""

    cpu_cores = models.FloatField(default=0)
    """Used on average between the last two readings; so are the rates below."""
    throttled_share = models.FloatField(default=0)
    """Of that time, 0 to 1: how long its processes were held back by the CPU limit."""
    read_rate = models.FloatField(default=0)
    written_rate = models.FloatField(default=0)
    received_rate = models.FloatField(default=0)
    sent_rate = models.FloatField(default=0)

    cpu_credit = models.FloatField(null=True, blank=True)
    """Seconds of one core that are left; None: its profile has no credits."""
    cpu_limit = models.FloatField(null=True, blank=True)
    """Cores that it has now; None: what its profile says."""

    def __str__(self) -> str:
        return f"{self.machine_id} at {self.sampled_at:%H:%M:%S}"


class PersonHour(models.Model):
    """What one person's sessions used in one hour: what budgets of 24 hours are counted from."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="hours")
    hour = models.DateTimeField()
    """Its beginning."""
    cpu_seconds = models.FloatField(default=0)
    egress_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["owner", "hour"]
        constraints = [models.UniqueConstraint(fields=["owner", "hour"], name="one_row_per_hour")]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.hour:%Y-%m-%d %H}"


class Event(models.Model):
    """What happened to a session, for its history and for the page."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=32)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%H:%M:%S}"


class LimitWarning(models.Model):
    """That a session's owner was told of a limit that is nearly reached: once, until it is taken back."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="limit_warnings")
    subject = models.CharField(max_length=16)
    machine = models.CharField(max_length=63, blank=True)
    """The name of the one machine that it is of; empty: it is of the session, or of all that its owner has."""
    data = models.JSONField(default=dict)
    """What was told: `subject`, `message`, figures."""

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["session", "subject", "machine"], name="one_warning_per_limit"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.machine}".strip()


class Lease(models.Model):
    """The right to do one thing alone for a while, e.g. to sweep. Taken by compare-and-set; lapses by itself."""

    name = models.CharField(primary_key=True, max_length=128)
    holder = models.UUIDField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} until {self.until:%H:%M:%S}"
