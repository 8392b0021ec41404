"""One share and one sentence out of the many messages of a pull. Pure."""

from collections.abc import Mapping
from typing import Any

DOWNLOADING = 0.7
"""What part of a layer's work its download is; the rest is unpacking."""
DONE = {"Pull complete", "Already exists"}


class PullProgress:
    """Feed it every message of the stream, in order."""

    def __init__(self) -> None:
        self._shares: dict[str, float] = {}
        self._bytes: dict[str, tuple[int, int]] = {}

    def step(self, message: Mapping[str, Any]) -> tuple[float | None, str]:
        """Share done, 0 to 1 (None until a layer is known), and words."""
        layer, status = message.get("id"), str(message.get("status", ""))
        if layer is not None and not status.startswith("Pulling from"):
            self._layer(str(layer), status, message.get("progressDetail") or {})
        if not self._shares:
            return None, "Asking the registry"
        share = sum(self._shares.values()) / len(self._shares)
        return share, self._words()

    def _layer(self, layer: str, status: str, detail: Mapping[str, Any]) -> None:
        current, total = int(detail.get("current") or 0), int(detail.get("total") or 0)
        part = min(current / total, 1.0) if total > 0 else 0.0
        if status in DONE:
            self._shares[layer] = 1.0
        elif status == "Downloading":
            self._bytes[layer] = (current, total)
            self._shares[layer] = DOWNLOADING * part
        elif status in {"Verifying Checksum", "Download complete"}:
            self._shares[layer] = DOWNLOADING
        elif status == "Extracting":
            self._shares[layer] = DOWNLOADING + (1 - DOWNLOADING) * part
        else:
            self._shares.setdefault(layer, 0.0)

    def _words(self) -> str:
        done = sum(share >= 1.0 for share in self._shares.values())
        words = f"Fetched {done} of {len(self._shares)} layers"
        if self._bytes:
            total = sum(total for _, total in self._bytes.values()) / (1 << 20)
            words += f", {total:.0f} MiB to download"
        return words
