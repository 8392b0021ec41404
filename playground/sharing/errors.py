"""What guests, and requests about them, are refused for."""

from playground.errors import SiteError


class OwnerOnly(SiteError):
    """Administrators may look at guests and send them away, but not let anybody in on the owner's behalf."""

    code = "owner_only"
    status = 403


class TooManyLinks(SiteError):
    code = "too_many_share_links"
    status = 409


class LinkUnknown(SiteError):
    """No link has that token."""

    code = "share_link_unknown"
    status = 404


class LinkOver(SiteError):
    """It has expired or was revoked, or its session has ended."""

    code = "share_link_over"
    status = 410


class TooManyGuests(SiteError):
    code = "too_many_guests"
    status = 429
    retryable = True


class TooManyHelpers(SiteError):
    """As many guests as may type in one session do already."""

    code = "too_many_helpers"
    status = 409


class GuestUnknown(SiteError):
    """This browser is no guest here, or the session has no such guest."""

    code = "guest_unknown"
    status = 404


class GuestRemoved(SiteError):
    """The owner has sent them away."""

    code = "guest_removed"
    status = 403


class MayOnlyWatch(SiteError):
    """Their link offers no more."""

    code = "guest_may_only_watch"
    status = 409


class AskedTooOften(SiteError):
    code = "guest_asked_lately"
    status = 429
    retryable = True
