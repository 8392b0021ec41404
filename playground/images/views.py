"""The page of one image."""

import shlex

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from playground.host import reports
from playground.images.cards import cards, layers
from playground.sessions import selectors
from playground.sessions.offers import start_choices


@login_required
@require_safe
def image_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What an image is, what it is made of, and a button to start it."""
    image = get_object_or_404(selectors.catalogue(), slug=slug)
    context = {
        "image": image,
        "card": cards([image])[0],
        "layers": layers(image, list(selectors.catalogue())),
        "shell": shlex.join(image.shell),
        "command": shlex.join(image.command),
        **start_choices(reports.report()),
    }
    return render(request, "images/image.html", context)
