/* EXEC: a command without a terminal, for the one connection that asked for it. */
#ifndef SANDBOXD_COMMAND_H
#define SANDBOXD_COMMAND_H

#include <stdbool.h>

#include "attachment.h"
#include "queue.h"
#include "spawn.h"

#define COMMAND_WINDOW (512u << 10)
#define COMMAND_GRACE_MS 250

struct outlet { /* standard output or error */
    struct watch watch;
    enum frame_type type;
    uint64_t left; /* bytes that may still be sent, by LIMIT */
    uint64_t last; /* bytes that are still waited for; all, until the grace after the command's end is over */
    bool truncated, ended;
};

struct command {
    struct spawn spawn;
    struct outlet output, error;
    struct watch input;
    struct timer timeout, grace;
    int64_t started, ended;
    int status;
    bool reaped, timed_out, self, acknowledged;
    bool input_ends; /* when the queue is empty */
    uint64_t sent, acked;
    struct queue queue;
};

/* Answers EXEC, at once or by client_opened. */
enum handled command_begin(struct client *client, const struct request *request);
enum handled command_handle(struct client *client, const struct frame *frame);
/* The socket has taken all there was: go on reading. */
void command_resume(struct client *client);
/* The connection is lost, or the command never was: kills it and gives back what it holds. */
void command_end(struct client *client);
bool command_reaped(struct client *client, pid_t pid, int status);

#endif
