"""Everything that can go wrong below the site, classified once.

`code` is stable and documented; `retryable` says that the same call may succeed later with nobody changing anything.
The adapters (`engines/docker`, `terminal/client`) turn foreign exceptions into these; nobody else imports those.

    RuntimeFailure
    ├── EngineUnavailable        engine_unavailable       the engine does not answer
    ├── EngineRefused            engine_refused           the engine says no, and why
    ├── CapacityExceeded         capacity_exceeded        this host is full
    ├── CapabilityUnavailable    capability_unavailable   this host can't enforce what was asked for
    ├── ImageUnavailable         image_unavailable        unknown to the registry, or it can't be built
    ├── MachineGone              machine_gone             no such machine, or it has ended
    ├── MachineUnreachable       machine_unreachable      it is there, but sandboxd does not answer
    ├── ProtocolViolation        protocol_error           the other side does not keep to the protocol
    ├── TerminalUnknown          terminal_unknown
    ├── CommandFailed            the command could not be started
    │   ├── CommandNotFound      command_not_found
    │   ├── CommandNotExecutable command_not_executable
    │   ├── UnknownUser          unknown_user
    │   └── BadDirectory         bad_directory
    ├── FileFailed
    │   ├── FileUnknown          file_not_found
    │   ├── FileForbidden        file_forbidden
    │   ├── NotAFile             not_a_file
    │   ├── NotADirectory        not_a_directory
    │   └── NoSpace              no_space
    └── Busy                     busy                     a limit inside the machine is reached
"""

from typing import ClassVar


class RuntimeFailure(Exception):
    """The root of the tree. `str(error)` is a sentence for a person; it holds no secret and no host path."""

    code: ClassVar[str] = "runtime_failure"
    retryable: ClassVar[bool] = False


class EngineUnavailable(RuntimeFailure):
    code = "engine_unavailable"
    retryable = True


class EngineRefused(RuntimeFailure):
    code = "engine_refused"


class CapacityExceeded(RuntimeFailure):
    code = "capacity_exceeded"
    retryable = True


class CapabilityUnavailable(RuntimeFailure):
    code = "capability_unavailable"


class ImageUnavailable(RuntimeFailure):
    code = "image_unavailable"


class MachineGone(RuntimeFailure):
    code = "machine_gone"


class MachineUnreachable(RuntimeFailure):
    code = "machine_unreachable"
    retryable = True


class ProtocolViolation(RuntimeFailure):
    code = "protocol_error"


class TerminalUnknown(RuntimeFailure):
    code = "terminal_unknown"


class CommandFailed(RuntimeFailure):
    code = "command_failed"


class CommandNotFound(CommandFailed):
    code = "command_not_found"


class CommandNotExecutable(CommandFailed):
    code = "command_not_executable"


class UnknownUser(CommandFailed):
    code = "unknown_user"


class BadDirectory(CommandFailed):
    code = "bad_directory"


class FileFailed(RuntimeFailure):
    code = "file_failed"


class FileUnknown(FileFailed):
    code = "file_not_found"


class FileForbidden(FileFailed):
    code = "file_forbidden"


class NotAFile(FileFailed):
    code = "not_a_file"


class NotADirectory(FileFailed):
    code = "not_a_directory"


class NoSpace(FileFailed):
    code = "no_space"


class Busy(RuntimeFailure):
    code = "busy"
    retryable = True
