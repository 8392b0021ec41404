"""One web process on a listening socket that was inherited: `python -m tests.support.web FD`."""

import socket
import sys

import uvicorn

from playground.serve import configuration

if __name__ == "__main__":
    # uvicorn's own --fd takes every socket for a Unix one, and then leaves Nagle's algorithm on: 40 ms per answer.
    listener = socket.socket(fileno=int(sys.argv[1]))
    uvicorn.Server(configuration()).run(sockets=[listener])
