"""How many, how long, how often."""

from datetime import timedelta

LINKS = 10
"""Of one session that let anybody in."""
GUESTS = 30
"""Of one session that are there."""
HELPERS = 4
"""Guests of one session who may type: a terminal knows 16 writers at once, and its owner must be among them."""
SOCKETS_OF_A_GUEST = 8
"""In this process; at two of them one guest sees every terminal that most sessions have."""
SOCKETS_OF_A_SESSION = 40
"""Of all its guests in this process. A machine takes 128 connections, and its owner must not find them taken."""
HELPERS_OF_A_TERMINAL = 5
"""Sockets in this process by which guests may type into one terminal."""
CHECK_SECONDS = 2.0
"""How long a right that was taken away may still be used."""
HERE = timedelta(seconds=10)
"""Who was seen so lately is there."""
SEEN_RESOLUTION = timedelta(seconds=4)
"""Being there is written at most this often."""
ASK_AGAIN = timedelta(seconds=60)
"""After asking; a request that nobody answers lapses after the same time."""
ENTRIES_OF_AN_ADDRESS = 300
"""Links opened or entered by, a minute: a whole class may sit behind one address."""
ENTRIES_OF_A_LINK = 60
"""Guests that come by one link, a minute."""
LONGEST_NAME = 40
LONGEST_COOKIE = timedelta(days=31)
