"""Images as the pages show them: how soon one is there, how big it is, what its layers are."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from playground import words
from playground.images.models import Image, ImageState
from playground.sessions.models import Machine, Session
from playground.sessions.states import MachineState

RECENT_STARTS = 200
"""Of all images together: what a start takes now is told by the latest ones."""


@dataclass(frozen=True, slots=True)
class Card:
    """One image of the catalogue."""

    image: Image
    ready: str
    """What to say about it once it is ready."""

    @property
    def words(self) -> str:
        """Its state, for a person."""
        match self.image.state:
            case ImageState.READY:
                return self.ready
            case ImageState.PREPARING if self.image.progress is not None:
                return f"being prepared, {int(self.image.progress * 100)} %"
            case ImageState.PREPARING:
                return "being prepared"
            case ImageState.FAILED:
                return "could not be prepared"
        return "not here yet"

    @property
    def size(self) -> str:
        """Its size; empty when it is not known."""
        return "" if self.image.size_bytes is None else words.size(self.image.size_bytes)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an image, and the other images of the catalogue that have it too."""

    digest: str
    size: str
    created_by: str
    shared: list[Image]

    @property
    def short(self) -> str:
        """Enough of the digest to tell layers apart."""
        return self.digest.removeprefix("sha256:")[:12]


def cards(images: list[Image]) -> list[Card]:
    """The images with how soon a session on each would be there."""
    pooled = set(
        Machine.objects.filter(session=None, state=MachineState.READY, profile__is_default=True).values_list(
            "image_id", flat=True
        )
    )
    typical = _typical_starts()
    return [Card(image, _readiness(image.pk in pooled, typical.get(image.pk))) for image in images]


def layers(image: Image, catalogue: list[Image]) -> list[Layer]:
    """The image's layers, the lowest first."""
    holders: dict[str, list[Image]] = defaultdict(list)
    for other in catalogue:
        for digest in {layer["digest"] for layer in other.layers}:
            if other.pk != image.pk:
                holders[digest].append(other)
    return [
        Layer(layer["digest"], words.size(layer["size_bytes"]), layer["created_by"], holders[layer["digest"]])
        for layer in image.layers
    ]


def _typical_starts() -> dict[str, float]:
    """Seconds from asking to running, by image, as the latest sessions had it."""
    rows = Session.objects.filter(started_at__isnull=False).order_by("-created_at")
    taken: dict[str, list[float]] = defaultdict(list)
    for image, created, started in rows.values_list("image_id", "created_at", "started_at")[:RECENT_STARTS]:
        if started is not None:
            taken[image].append((started - created).total_seconds())
    return {image: median(seconds) for image, seconds in taken.items()}


def _readiness(pooled: bool, seconds: float | None) -> str:
    if pooled:
        return "ready now"
    return "ready" if seconds is None else f"ready in ~{max(seconds, 0.1):.1f} s"
