"""What requests about recordings are refused for."""

from playground.errors import SiteError


class RecordingUnknown(SiteError):
    """No such recording, or of somebody else's session: nobody learns which."""

    code = "recording_unknown"
    status = 404


class NotSatisfiable(SiteError):
    """A range that begins where the recording ends, or behind: there is nothing there yet."""

    code = "range_not_satisfiable"
    status = 416


class StillRecording(SiteError):
    """It can be deleted when the terminal or its session has ended."""

    code = "recording_running"
    status = 409
