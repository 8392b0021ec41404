/* What happens in a child between fork and execve. */
#ifndef SANDBOXD_CHILD_H
#define SANDBOXD_CHILD_H

#include <sys/resource.h>

#include "spawn.h"

/* Writes one byte, an enum spawn_result, to `report` when it fails; never returns. */
_Noreturn void child_run(const struct plan *plan, int report, const struct rlimit *files);

#endif
