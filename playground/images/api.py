"""`/images` of the REST API: the catalogue."""

from typing import cast

from ninja import Router
from pydantic import BaseModel, Field

from playground.api.request import ApiRequest
from playground.database import in_database
from playground.images.models import Image, ImageState
from playground.sessions.errors import UnknownImage
from playground.sessions.public import public_image
from playground.sessions.selectors import catalogue

router = Router(tags=["images"])


class ImageAnswer(BaseModel):
    """One catalogue entry."""

    id: str
    title: str
    description: str
    reference: str
    tags: list[str]
    state: ImageState
    progress: float | None = Field(description="0 to 1 while it is being prepared; null when unknown.")
    message: str
    source: str | None = Field(description="registry or recipe, once it is ready.")
    digest: str | None
    size_bytes: int | None


class LayerAnswer(BaseModel):
    """One layer of an image."""

    digest: str
    size_bytes: int
    created_by: str


class ImageDetailAnswer(ImageAnswer):
    """One catalogue entry with what it is made of."""

    shell: list[str]
    command: list[str]
    layers: list[LayerAnswer]


class ImageList(BaseModel):
    """The catalogue."""

    items: list[ImageAnswer]
    next_cursor: None = None


@router.get("/images", response=ImageList, summary="List what can be started")
async def list_images(request: ApiRequest) -> dict[str, object]:
    """In the order of the catalogue."""

    def read() -> list[dict[str, object]]:
        return [_public(image) for image in catalogue()]

    return {"items": await in_database(read)()}


@router.get("/images/{image_id}", response=ImageDetailAnswer, summary="Read an image and its layers")
async def get_image(request: ApiRequest, image_id: str) -> dict[str, object]:
    """Layers are known once the image is ready."""

    def read() -> dict[str, object]:
        image = catalogue().filter(pk=image_id).first() if "\0" not in image_id else None
        if image is None:
            raise UnknownImage("There is no such image in the catalogue.")
        return {**_public(image), "shell": image.shell, "command": image.command, "layers": image.layers}

    return await in_database(read)()


def _public(image: Image) -> dict[str, object]:
    return cast(dict[str, object], public_image(image))
