"""`/sessions/{id}/share-links` and `/sessions/{id}/guests` of the REST API. Answers have the fields of `public`."""

from uuid import UUID

from django.utils import timezone
from ninja import Router, Status
from pydantic import BaseModel, Field

from playground.accounts.models import User
from playground.api.fields import RequestBody, Seconds
from playground.api.request import ApiRequest
from playground.api.schemas import Instant
from playground.database import in_database
from playground.sessions.access import get_session_for
from playground.sessions.models import Session
from playground.sharing import selectors, services
from playground.sharing.errors import OwnerOnly
from playground.sharing.models import Role
from playground.sharing.public import PublicGuest, PublicLink, public_guest, public_link

router = Router(tags=["sharing"])


class LinkCreate(RequestBody):
    """A link for whoever is to see the session's terminals."""

    role: Role = Field(Role.OBSERVER, description="helper: its guests may ask you to let them type.", strict=False)
    ttl_seconds: Seconds | None = Field(None, description="How long it lets people in and stay; null: as the session.")


class LinkAnswer(BaseModel):
    """A link that lets people in."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    role: Role
    made_by: str
    created_at: Instant
    expires_at: Instant | None = Field(description="Null: with the session.")
    is_open: bool = Field(description="False: it has expired or was revoked, and its guests are gone.")
    url: str | None = Field(description="What to hand out. In the answer that made it alone: it is not kept.")


class LinkList(BaseModel):
    """The newest ones, the oldest of them first."""

    items: list[LinkAnswer]
    next_cursor: None = None


class GuestPatch(RequestBody):
    """What the guest may do from now on."""

    role: Role = Field(description="helper lets them type; observer also answers no to who asks.", strict=False)


class GuestAnswer(BaseModel):
    """Somebody who may watch now."""

    id: str = Field(json_schema_extra={"format": "uuid"})
    name: str = Field(description="Of an administrator their user name; else what they say, which nobody has checked.")
    role: Role = Field(description="helper: they type.")
    is_asking: bool = Field(description="They want to type.")
    is_administrator: bool = Field(description="In by right, without a link.")
    is_here: bool = Field(description="Their page was open a few seconds ago.")
    link: str | None
    since: Instant
    seen_at: Instant


class GuestList(BaseModel):
    """In the order in which they came."""

    items: list[GuestAnswer]
    next_cursor: None = None


@router.get("/sessions/{uuid:session_id}/share-links", response=LinkList, summary="List the links into a session")
async def list_share_links(request: ApiRequest, session_id: UUID) -> dict[str, object]:
    """Also those that are over. None shows its address again."""

    def read() -> list[PublicLink]:
        session = _session(request.person, session_id)
        return [public_link(link, session) for link in selectors.links_of(session)]

    return {"items": await in_database(read)()}


@router.post(
    "/sessions/{uuid:session_id}/share-links", response={201: LinkAnswer}, summary="Make a link into a session"
)
async def create_share_link(request: ApiRequest, session_id: UUID, body: LinkCreate) -> Status[PublicLink]:
    """Whoever has its `url` sees the session's terminals, without an account. The owner alone makes links."""

    def create() -> PublicLink:
        session = _own(request.person, session_id)
        link, token = services.make_link(request.person, session, body.role, body.ttl_seconds)
        return public_link(link, session, token)

    return Status(201, await in_database(create)())


@router.delete("/sessions/{uuid:session_id}/share-links/{uuid:link_id}", response={204: None}, summary="Revoke a link")
async def delete_share_link(request: ApiRequest, session_id: UUID, link_id: UUID) -> Status[None]:
    """All who came by it are cut off within two seconds. Also when it was revoked before."""

    def revoke() -> None:
        services.revoke_link(request.person, _session(request.person, session_id), link_id)

    await in_database(revoke)()
    return Status(204, None)


@router.get("/sessions/{uuid:session_id}/guests", response=GuestList, summary="List who may watch now")
async def list_guests(request: ApiRequest, session_id: UUID) -> dict[str, object]:
    """Whether their page is open or not; not those who left, were sent away, or whose link is over."""

    def read() -> list[PublicGuest]:
        now = timezone.now()
        guests = selectors.guests_of(_session(request.person, session_id))
        return [public_guest(guest, now) for guest in guests]

    return {"items": await in_database(read)()}


@router.patch(
    "/sessions/{uuid:session_id}/guests/{uuid:guest_id}", response=GuestAnswer, summary="Let a guest type, or not"
)
async def patch_guest(request: ApiRequest, session_id: UUID, guest_id: UUID, body: GuestPatch) -> PublicGuest:
    """Takes effect within two seconds. The owner alone lets anybody type; administrators may take it away."""

    def patch() -> PublicGuest:
        find = _own if body.role == Role.HELPER else _session
        session = find(request.person, session_id)
        guest = services.set_role(request.person, session, guest_id, body.role)
        return public_guest(guest, timezone.now())

    return await in_database(patch)()


@router.delete("/sessions/{uuid:session_id}/guests/{uuid:guest_id}", response={204: None}, summary="Send a guest away")
async def delete_guest(request: ApiRequest, session_id: UUID, guest_id: UUID) -> Status[None]:
    """Cut off within two seconds; that browser does not come back by the same link. Also when they have gone."""

    def remove() -> None:
        services.remove(request.person, _session(request.person, session_id), guest_id)

    await in_database(remove)()
    return Status(204, None)


def _session(person: User, session_id: UUID) -> Session:
    """The person's own session, or for administrators any. Raises SessionUnknown."""
    return get_session_for(person, session_id, for_admin=True, terminals=False)


def _own(person: User, session_id: UUID) -> Session:
    """Raises SessionUnknown, OwnerOnly."""
    session = _session(person, session_id)
    if session.owner_id != person.pk:
        raise OwnerOnly("Only the session's owner does that.")
    return session
