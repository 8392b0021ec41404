"""The page that shows administrators what their host enforces."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from playground.accounts.models import User
from playground.host import probing, reports
from playground.sessions import queue
from runtime.engines.capability_names import ESSENTIAL, title


@never_cache
@login_required
@require_safe
def host_page(request: HttpRequest) -> HttpResponse:
    """Each capability: whether it is enforced, what was seen, what to do. Staff only; others find nothing here."""
    _staff(request)
    found = reports.report()
    items = [
        {"name": item.name, "title": title(item.name), "item": item, "essential": item.name in ESSENTIAL}
        for item in reports.items_of(found)
    ]
    enforced = sum(item.available for item in reports.items_of(found))
    context = {
        "report": found,
        "items": items,
        "enforced": enforced,
        "gaps": reports.gaps(found),
        "problem": reports.problem(),
    }
    return render(request, "host/host.html", context)


@login_required
@require_POST
def probe_again(request: HttpRequest) -> HttpResponse:
    """Asks the worker to probe anew; the page shows it when it is done."""
    _staff(request)
    probing.want()
    queue.probe_host()
    messages.success(request, "The host is being probed. It takes some seconds; reload this page then.")
    return redirect("host")


def _staff(request: HttpRequest) -> None:
    if not (isinstance(request.user, User) and request.user.is_staff):
        raise Http404
