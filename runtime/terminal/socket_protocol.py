"""uvicorn's WebSocket protocol, without the two ways in which a client could fill the server's memory."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame


class BoundedWebSocketProtocol(WebSocketsSansIOProtocol):
    """For `uvicorn.Config(ws=...)`. What a client sends and does not read the answer to is not kept for it."""

    def handle_ping(self) -> None:
        """A pong is only for who reads: 145 MB of pings left 130 MB of pongs in the server."""
        output = self.conn.data_to_send()
        if self.writable.is_set():
            self.transport.write(b"".join(output))

    def handle_cont(self, event: Frame) -> None:
        """Empty fragments count for no limit of size, and there may be any number."""
        if event.data or event.fin:
            super().handle_cont(event)
