"""The peer: `docker exec -it` behind Jupyter's terminal server. Prints its port, then serves until it is ended."""

import asyncio
import sys

import tornado.web
from terminado import TermSocket, UniqueTermManager
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets


class OpenTermSocket(TermSocket):
    """The benchmark's client is no browser and sends no Origin."""

    def check_origin(self, origin: str) -> bool:
        return True


async def serve(command: list[str]) -> None:
    manager = UniqueTermManager(shell_command=command, max_terminals=100)
    application = tornado.web.Application([(r"/terminal", OpenTermSocket, {"term_manager": manager})])
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(application).add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
