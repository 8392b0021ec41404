/* Starts a process and learns, without waiting, whether its execve worked. */
#ifndef SANDBOXD_SPAWN_H
#define SANDBOXD_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "loop.h"
#include "request.h"

enum spawn_result {
    SPAWN_STARTED,
    SPAWN_NOT_FOUND,
    SPAWN_NOT_EXECUTABLE,
    SPAWN_UNKNOWN_USER,
    SPAWN_BAD_DIRECTORY,
    SPAWN_BUSY,
    SPAWN_FAILED,
};

struct plan {
    const struct command_line *command;
    int input, output, error; /* become 0, 1 and 2; stay open here */
    bool terminal; /* input is the slave of a PTY and becomes the controlling terminal */
    bool bare; /* no environment but ENV */
    bool self; /* the arguments are those of sandboxd itself, which goes on in the child without execve */
};

struct spawn {
    struct watch report; /* read end of a pipe that closes on execve */
    pid_t pid;
    void (*done)(struct spawn *spawn, enum spawn_result result);
};

/* SPAWN_STARTED: the child exists, leads a session and a process group of its own, and `done` will be called once.
 * Anything else: there is no child. */
enum spawn_result spawn_start(struct spawn *spawn, const struct plan *plan);
/* Forgets the report; `done` is not called any more. */
void spawn_cancel(struct spawn *spawn);

/* The stable code of a failure, and words for it. */
const char *spawn_code(enum spawn_result result);
const char *spawn_message(enum spawn_result result);

/* When memory runs out the kernel must prefer any process of the guest to sandboxd, without which the machine is gone. */
void spawn_offer_to_oom_killer(const char *process);

/* Sandboxd takes as many descriptors as it can get; children have as many as it was given. */
void spawn_raise_own_limits(void);

#endif
