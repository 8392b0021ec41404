"""Pages of recordings: all that a person has, one that plays, and the question before one is deleted."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from playground import security
from playground.accounts.models import User
from playground.database import in_database
from playground.errors import SiteError
from playground.recordings import services, stopping
from playground.recordings.errors import RecordingUnknown
from playground.recordings.models import Recording, RecordingState
from playground.recordings.public import public_recording
from playground.sessions.access import get_session_for
from playground.sessions.errors import SessionUnknown

PAGE = 50


@never_cache
@login_required
@require_safe
def recordings_page(request: HttpRequest) -> HttpResponse:
    """Those of the person's own sessions, newest first."""
    assert isinstance(request.user, User)
    listed = Paginator(services.recordings_by(request.user), PAGE).get_page(request.GET.get("page"))
    return render(request, "recordings/recordings.html", {"listed": listed, "days": services.days_kept()})


@never_cache
@login_required
@require_safe
def recording_page(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """The player, and what can be done with the recording; without scripts it can be downloaded."""
    recording = _own(request, recording_id)
    context = {
        "recording": recording,
        "full": recording.state == RecordingState.FULL,
        "stopped": recording.state == RecordingState.STOPPED,
        "page_data": public_recording(recording),
    }
    response = render(request, "recordings/recording.html", context)
    # The player draws with WebAssembly.
    response["Content-Security-Policy"] = security.policy(webassembly=True)
    return response


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Asks; a POST is the answer, and leads back to the list."""
    recording = _own(request, recording_id)
    assert isinstance(request.user, User)
    if request.method != "POST":
        return render(request, "recordings/delete.html", {"recording": recording})
    try:
        services.delete(request.user, recording)
    except SiteError as error:
        messages.error(request, str(error))
        return redirect("recording", recording_id)
    messages.success(request, "The recording is deleted.")
    return redirect("recordings")


@login_required
@require_POST
async def stop_recording(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Records nothing of the session any more; where scripts run, its page asks the API."""
    user = await request.auser()
    assert isinstance(user, User)
    try:
        await stopping.stop(await in_database(get_session_for)(user, session_id))
    except SessionUnknown as error:
        raise Http404 from error
    except SiteError as error:
        messages.error(request, str(error))
    return redirect("session", session_id)


def _own(request: HttpRequest, recording_id: UUID) -> Recording:
    assert isinstance(request.user, User)
    try:
        return services.recording_for(request.user, recording_id)
    except RecordingUnknown as error:
        raise Http404 from error
