"""How a session and an image look to their reader: the same in the API, in events and in pages."""

from datetime import datetime
from typing import TypedDict
from urllib.parse import urlsplit

from django.conf import settings

from playground.images.models import Image
from playground.sessions.models import Machine, Session, Terminal
from playground.sessions.network import network_of
from playground.sessions.places import place_of


class PublicMachine(TypedDict):
    id: str
    name: str
    hostname: str
    image: str
    state: str


class PublicTerminal(TypedDict):
    id: str
    machine: str
    name: str
    is_named: bool
    is_main: bool
    websocket_url: str


class PublicNetwork(TypedDict):
    egress: str
    allowed: list[str]


class PublicQueue(TypedDict):
    position: int
    estimate_seconds: int | None


class PublicSession(TypedDict):
    id: str
    name: str
    hostname: str
    state: str
    reason: str | None
    message: str
    queue: PublicQueue | None
    image: str
    profile: str
    network: PublicNetwork
    machines: list[PublicMachine]
    terminals: list[PublicTerminal]
    metadata: dict[str, str]
    is_recorded: bool
    is_recording_required: bool
    recording_stopped_at: str | None
    created_at: str
    started_at: str | None
    expires_at: str | None
    last_activity_at: str | None
    ended_at: str | None
    exit_code: int | None
    links: dict[str, str]


class PublicImage(TypedDict):
    id: str
    title: str
    description: str
    reference: str
    tags: list[str]
    state: str
    progress: float | None
    message: str
    source: str | None
    digest: str | None
    size_bytes: int | None


def instant(value: datetime | None) -> str | None:
    """RFC 3339 in UTC, with milliseconds."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def _instant(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def websocket_url(terminal: Terminal) -> str:
    """Where the terminal's bytes flow."""
    site = urlsplit(settings.PLAYGROUND_URL)
    scheme = "wss" if site.scheme == "https" else "ws"
    return f"{scheme}://{site.netloc}/ws/v1/terminals/{terminal.id}"


def public_machine(machine: Machine) -> PublicMachine:
    """One machine of a session."""
    return {
        "id": str(machine.id),
        "name": machine.name,
        "hostname": machine.hostname,
        "image": machine.image_id,
        "state": machine.state,
    }


def public_terminal(terminal: Terminal, machine: Machine) -> PublicTerminal:
    """One terminal of `machine`."""
    return {
        "id": str(terminal.id),
        "machine": machine.name,
        "name": terminal.name,
        "is_named": terminal.is_named,
        "is_main": terminal.is_main,
        "websocket_url": websocket_url(terminal),
    }


def public_queue(session: Session) -> PublicQueue | None:
    """Where it stands among those who wait for a machine."""
    place = place_of(session)
    return {"position": place.position, "estimate_seconds": place.estimate_seconds} if place else None


def public_network(session: Session) -> PublicNetwork:
    """What its machines reach beyond it."""
    network = network_of(session)
    return {"egress": network.egress, "allowed": list(network.allowed)}


def public_session(session: Session) -> PublicSession:
    """All of a session that its owner sees; without prefetched machines and terminals it asks for them."""
    machines = [machine for machine in session.machines.all() if machine.is_live]
    return {
        "id": str(session.id),
        "name": session.name,
        "hostname": session.hostname,
        "state": session.state,
        "reason": session.reason or None,
        "message": session.message,
        "queue": public_queue(session),
        "image": session.image_id,
        "profile": session.profile_id,
        "network": public_network(session),
        "machines": [public_machine(machine) for machine in machines],
        "terminals": [
            public_terminal(terminal, machine) for machine in machines for terminal in machine.terminals.all()
        ],
        "metadata": session.metadata,
        "is_recorded": session.is_recorded,
        "is_recording_required": session.is_recording_required,
        "recording_stopped_at": instant(session.recording_stopped_at),
        "created_at": _instant(session.created_at),
        "started_at": instant(session.started_at),
        "expires_at": instant(session.expires_at),
        "last_activity_at": instant(session.last_activity_at),
        "ended_at": instant(session.ended_at),
        "exit_code": session.exit_code,
        "links": {"self": f"/api/v1/sessions/{session.id}", "page": f"/sessions/{session.id}"},
    }


def public_image(image: Image) -> PublicImage:
    """What the catalogue says about an image, without its layers."""
    return {
        "id": image.slug,
        "title": image.title,
        "description": image.description,
        "reference": image.reference or image.registry_reference or image.built_reference,
        "tags": image.tags,
        "state": image.state,
        "progress": image.progress,
        "message": image.message,
        "source": image.source or None,
        "digest": image.digest or None,
        "size_bytes": image.size_bytes,
    }
