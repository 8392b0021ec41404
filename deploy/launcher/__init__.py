"""`make run`, `make test` and `make check`: from a bare checkout to something that runs, and back to nothing.

It runs before any dependency is there, so it is made of the standard library alone and imports nothing of the site.
"""
