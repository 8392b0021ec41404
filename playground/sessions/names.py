"""Names that people can say aloud, for machines and for sessions that were given none."""

import secrets

from playground.sessions.models import LIVE_MACHINE_STATES, Machine

_FIRST = """
amber brave brisk bright calm clever cobalt copper cosy crisp daring dapper eager early fair fancy fleet fond
free fresh gentle glad golden grand green happy hardy hazel honest humble ivory jolly keen kind lemon light
lively loyal lucky mellow merry mild misty modest neat nimble noble olive patient plain polite proud quick
quiet ready rosy ruby scarlet sharp shiny silver simple smooth snowy solid spry steady still sunny swift tidy
tiny trusty vivid warm wise witty young
""".split()  # noqa: SIM905 - a list of a hundred quoted words is no easier to read
_SECOND = """
acorn alder aspen badger basil beaver birch bison bramble brook cedar clover comet coral cricket crane dove
dune eagle elder elm falcon fern finch fjord fox gecko grove gull harbor hare hawk hazel heron hill ibis iris
island jay juniper kestrel kiwi lagoon lake larch lark lemur lily linden lotus lynx maple marten meadow mole
moss newt oak orca osprey otter owl panda pebble pine plover pond poplar puffin quail raven reed river robin
sage seal sparrow spruce stoat stork swan tern thistle toad trout tulip turtle valley vole walnut willow wren
yak
""".split()  # noqa: SIM905 - a list of a hundred quoted words is no easier to read


def random_hostname() -> str:
    """Two words and a hyphen: a valid host name, nothing that anybody chose."""
    return f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}"


def free_hostname() -> str:
    """A host name that no living machine has just now; the database's constraint has the last word."""
    candidates = [random_hostname() for _ in range(6)]
    living = Machine.objects.filter(hostname__in=candidates, state__in=LIVE_MACHINE_STATES)
    taken = set(living.values_list("hostname", flat=True))
    free = [name for name in candidates if name not in taken]
    return free[0] if free else longer_hostname(candidates[0])


def longer_hostname(hostname: str) -> str:
    """The same with four random digits behind: for when the short one is taken."""
    return f"{hostname}-{secrets.token_hex(2)}"


def default_session_name(image: str, hostname: str) -> str:
    """What a session is called whose owner gave it no name."""
    return f"{image}-{hostname}"
