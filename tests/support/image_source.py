"""Where images come from, as a test says: a host, a registry, and builds that take as long as they should."""

from runtime.engines.base import ImageDetails, Layer, ProgressCallback
from runtime.errors import ImageUnavailable
from tests.support.hooked_engine import Gate


class ImageSource:
    """The part of an engine that has to do with images. A real one takes minutes and a registry."""

    name = "image source"

    def __init__(self) -> None:
        self.host: dict[str, ImageDetails] = {}
        self.registry: set[str] = set()
        self.build_error: Exception | None = None
        self.gate: Gate | None = None
        """Where a build waits, 40 % done."""
        self.calls: list[str] = []

    @staticmethod
    def details(reference: str) -> ImageDetails:
        """What the host knows of an image."""
        return ImageDetails(
            reference=reference,
            digest="sha256:" + "0" * 64,
            size_bytes=3,
            layers=[Layer("sha256:aa", 3, "test")],
            user="",
            command=[],
            environment=[],
            working_directory="/",
            architecture="amd64",
        )

    async def image(self, reference: str) -> ImageDetails | None:
        return self.host.get(reference)

    async def pull(self, reference: str, progress: ProgressCallback) -> ImageDetails:
        self.calls.append(f"pull {reference}")
        progress(None, "Asking the registry")
        if reference not in self.registry:
            raise ImageUnavailable("No registry answers.")
        return self.host.setdefault(reference, self.details(reference))

    async def build(self, recipe: str, reference: str, progress: ProgressCallback) -> ImageDetails:
        self.calls.append(f"build {recipe}")
        progress(0.4, "Unpacking")
        if self.gate is not None:
            await self.gate()
        if self.build_error is not None:
            raise self.build_error
        return self.host.setdefault(reference, self.details(reference))

    async def close(self) -> None:
        """Has nothing to give back."""
