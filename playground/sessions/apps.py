from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """The core. Its label is not "sessions", because Django's own application of browser sessions has that."""

    name = "playground.sessions"
    label = "playground_sessions"

    def ready(self) -> None:
        """Registers the site's checks."""
        from playground import checks  # noqa: F401
