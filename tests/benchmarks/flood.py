"""`python -m tests.benchmarks.flood URL AUTHORIZATION`: `yes` in that terminal, read as fast as it comes."""

import sys

from tests.benchmarks.raw_socket import RawPlayground, read_until

if __name__ == "__main__":
    link = RawPlayground(sys.argv[1], {"Authorization": sys.argv[2]})
    link.send(b"yes\n")
    read_until(link, b"y\r\ny\r\n")
    print("it floods", flush=True)
    while True:
        link.read()
