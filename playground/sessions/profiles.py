"""Profiles: the limits that machines are made with, and the ones that every site starts with."""

import hashlib
import json

from playground.host import reports
from playground.host.models import HostReport
from playground.images.models import Image
from playground.sessions.allowlist import entries_of
from playground.sessions.errors import BeyondProfile
from playground.sessions.models import Profile
from playground.sessions.states import RecordingRule
from runtime.engines.base import Egress, Limits

MIB = 1 << 20
GIB = 1 << 30
DISK_QUOTA = "disk_quota"
"""The capability by which a machine's disk size is a hard limit."""

DEFAULT_PROFILES: tuple[dict[str, object], ...] = (
    {
        "slug": "small",
        "title": "Small",
        "description": "Half a core and 256 MiB of memory: enough for a shell.",
        "memory_bytes": 256 * MIB,
        "cpus": 0.5,
        "pids": 128,
        "disk_bytes": 1 * GIB,
        "file_bytes": 512 * MIB,
        "tmpfs_bytes": 64 * MIB,
        "shm_bytes": 16 * MIB,
        "nofile": 1024,
        "download_bytes_per_second": 4 * MIB,
        "upload_bytes_per_second": 1 * MIB,
        "cpu_baseline": 0.15,
        "cpu_credit_seconds": 300,
        "position": 1,
    },
    {
        "slug": "standard",
        "title": "Standard",
        "description": "One core and 512 MiB of memory.",
        "is_default": True,
        "memory_bytes": 512 * MIB,
        "cpus": 1.0,
        "pids": 256,
        "disk_bytes": 2 * GIB,
        "file_bytes": 1 * GIB,
        "tmpfs_bytes": 128 * MIB,
        "shm_bytes": 64 * MIB,
        "nofile": 4096,
        "download_bytes_per_second": 8 * MIB,
        "upload_bytes_per_second": 2 * MIB,
        "cpu_baseline": 0.25,
        "cpu_credit_seconds": 600,
        "position": 2,
    },
    {
        "slug": "large",
        "title": "Large",
        "description": "Two cores and 2 GiB of memory.",
        "memory_bytes": 2 * GIB,
        "cpus": 2.0,
        "pids": 512,
        "disk_bytes": 8 * GIB,
        "file_bytes": 4 * GIB,
        "tmpfs_bytes": 256 * MIB,
        "shm_bytes": 64 * MIB,
        "nofile": 16384,
        "download_bytes_per_second": 16 * MIB,
        "upload_bytes_per_second": 4 * MIB,
        "cpu_baseline": 0.5,
        "cpu_credit_seconds": 1200,
        "position": 3,
    },
)
COMMON: dict[str, object] = {
    "lifetime_seconds": 3600,
    "max_lifetime_seconds": 8 * 3600,
    "idle_seconds": 1800,
}


def default_profiles_are_there() -> bool:
    """Whether `ensure_default_profiles` has nothing to do."""
    wanted = {str(profile["slug"]) for profile in DEFAULT_PROFILES}
    return wanted <= set(Profile.objects.values_list("slug", flat=True))


def ensure_default_profiles(egress: Egress = Egress.NONE) -> None:
    """Makes the profiles that are missing; leaves those that are there, however the administrator changed them.

    `egress` is for new ones: more than none only where the host filters what machines reach.
    """
    for profile in DEFAULT_PROFILES:
        defaults = {"egress": egress.value, **COMMON, **profile}
        Profile.objects.get_or_create(slug=profile["slug"], defaults=defaults)


def limits_of(profile: Profile) -> Limits:
    """The limits that the engine sets at creation."""
    return Limits(
        memory_bytes=profile.memory_bytes,
        cpus=profile.cpus,
        pids=profile.pids,
        tmpfs_bytes=profile.tmpfs_bytes,
        shm_bytes=profile.shm_bytes,
        nofile=profile.nofile,
        disk_bytes=profile.disk_bytes,
        file_bytes=profile.file_bytes,
        write_bytes_per_second=profile.disk_write_bytes_per_second,
    )


def recorded(profile: Profile, asked: bool) -> bool:
    """Whether a session of this profile is recorded. Raises BeyondProfile when that is asked for and not allowed."""
    if asked and profile.recording == RecordingRule.NEVER:
        raise BeyondProfile("Sessions with this profile are not recorded.", field="record")
    return asked or recording_required(profile)


def recording_required(profile: Profile) -> bool:
    """Whether it is recorded whatever its owner wants."""
    return profile.recording == RecordingRule.ALWAYS


def fingerprint(image: Image, profile: Profile, found: HostReport | None) -> str:
    """Changes whenever a machine made now would differ from one made before.

    `found`, the last report of the host, counts as far as it does for machines of this profile: by what the profile
    requires, and by whether its disk size is a hard limit.
    """
    needed = sorted({*profile.requires, DISK_QUOTA})
    limits = limits_of(profile)
    parts = [
        image.reference,
        image.digest,
        image.shell,
        image.command,
        [profile.egress, entries_of(profile.allowed)],
        [profile.download_bytes_per_second, profile.upload_bytes_per_second],
        [getattr(limits, name) for name in limits.__dataclass_fields__],
        [needed, reports.missing_of(needed, found)],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
