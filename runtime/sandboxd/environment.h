/* Arguments and environment of a command, as execve wants them. Only ever used in a child after fork. */
#ifndef SANDBOXD_ENVIRONMENT_H
#define SANDBOXD_ENVIRONMENT_H

#include "identity.h"
#include "request.h"

struct arguments {
    char **argv;
    size_t argc;
    char **envp;
};

/* `bare`: ENV alone. Otherwise sandboxd's own environment, over it ENV, and PATH, HOME, USER, SHELL and LANG (on a
 * terminal TERM too) where they are missing. False when it is more than the kernel would take. */
bool arguments_build(struct arguments *arguments, const struct command_line *command, const struct identity *identity,
                     bool bare, bool terminal);

/* The value of a variable, NULL when it isn't set. */
const char *environment_get(char *const *envp, const char *name);

#endif
