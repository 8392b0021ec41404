"""What a caller may write as a command."""

from runtime.errors import CommandNotFound


def argv(command: str | list[str] | None) -> list[str]:
    """A command as its arguments: a line is for the shell. Empty for None. Raises CommandNotFound."""
    if isinstance(command, str):
        return ["sh", "-c", command]
    if command and not command[0]:
        raise CommandNotFound("The name of the command is empty.")
    return command or []
