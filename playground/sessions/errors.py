"""What requests about sessions are refused for."""

from playground.errors import SiteError


class InvalidRequest(SiteError):
    """A value that no session can have; `field` says which."""

    code = "invalid_request"
    status = 422


class UnknownImage(SiteError):
    code = "image_unknown"
    status = 404


class UnknownProfile(SiteError):
    code = "profile_unknown"
    status = 404


class BeyondProfile(SiteError):
    """More than the profile of this session allows; another profile may."""

    code = "beyond_profile"
    status = 409


class RecordingRequired(SiteError):
    """The session's profile wants it recorded: its owner can't stop that."""

    code = "recording_required"
    status = 409


class QuotaExceeded(SiteError):
    """The person holds, or has started, as many sessions as they may."""

    code = "quota_exceeded"
    status = 429
    retryable = True


class HostFull(SiteError):
    """As many sessions as may wait for a machine already."""

    code = "capacity_exceeded"
    status = 503
    retryable = True


class NeverFits(HostFull):
    """One machine of that profile is more than this site gives to all."""

    retryable = False


class SessionUnknown(SiteError):
    """No such session, or somebody else's: nobody learns which."""

    code = "session_unknown"
    status = 404


class MachineUnknown(SiteError):
    code = "machine_unknown"
    status = 404


class TerminalUnknown(SiteError):
    """No such terminal, or somebody else's."""

    code = "terminal_unknown"
    status = 404


class SessionNotRunning(SiteError):
    """It has not started yet, or it has ended."""

    code = "session_not_running"
    status = 409


class SessionPaused(SiteError):
    """Nothing runs in it until it is resumed."""

    code = "session_paused"
    status = 409


class TooManyStreams(SiteError):
    """As many event streams and sockets as one person may have open."""

    code = "too_many_streams"
    status = 429


class LifetimeExhausted(SiteError):
    """It lasts as long as its profile allows already."""

    code = "lifetime_exhausted"
    status = 409
