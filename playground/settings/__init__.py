"""Settings of the site, read from the environment once. A wrong value stops the start and names its variable."""

from playground.settings.accounts import *  # noqa: F403
from playground.settings.base import *  # noqa: F403
from playground.settings.capacity import *  # noqa: F403
from playground.settings.limits import *  # noqa: F403
from playground.settings.logs import *  # noqa: F403
from playground.settings.network import *  # noqa: F403
from playground.settings.pages import *  # noqa: F403
from playground.settings.recording import *  # noqa: F403
from playground.settings.security import *  # noqa: F403
from playground.settings.worker import *  # noqa: F403
