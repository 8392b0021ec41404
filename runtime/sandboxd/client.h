/* Connections of the host. */
#ifndef SANDBOXD_CLIENT_H
#define SANDBOXD_CLIENT_H

#include <sys/uio.h>

#include "attachment.h"
#include "command.h"
#include "frame.h"
#include "loop.h"

#define CLIENTS_MAX 128
#define WAITING_MAX (192u << 10) /* input that waits for room, as far as other frames can overtake it */

enum client_state {
    CLIENT_IDLE,
    CLIENT_OPENING, /* waits for the execve of its OPEN */
    CLIENT_EXECUTING, /* waits for the execve of its EXEC */
    CLIENT_ATTACHED,
    CLIENT_COMMAND,
    CLIENT_ENDING, /* the last frame is written or on its way; what still arrives is thrown away */
    CLIENT_CLOSED, /* until the end of this turn */
};

struct client {
    struct watch watch;
    struct timer closing;
    enum client_state state;
    bool full; /* the socket takes nothing now */
    struct terminal *opening;
    struct attachment attachment;
    struct command command;
    size_t received;
    size_t held; /* bytes of frames at the front that wait for room in the input of the terminal or command */
    size_t sent, pending; /* of `out`: already gone, and end of what is there */
    uint8_t out[FRAME_MAX + 256]; /* the rest of one large frame, or small ones */
    uint8_t in[FRAME_MAX + WAITING_MAX]; /* input that waits, and behind it what need not wait */
};

/* Takes over a descriptor that was accepted; says hello. */
void client_accept(int fd);

/* Handles the frames that wait, after the reason to wait is gone. */
void client_continue(struct client *client);
/* Whether so much input waits that no acknowledgement behind it can be seen. Whoever then waited for one would wait forever,
 * if the program waits for room for its output before it reads its input. */
bool client_is_stuck(const struct client *client);

/* Where the payload of a frame goes, behind what is there; client_put then makes it a frame. Nothing is sent. There is
 * room for one large frame when all was flushed, else for small ones. */
struct writer client_payload(struct client *client);
void client_put(struct client *client, enum frame_type type, const struct writer *payload);
/* Sends all that was put. False while some of it is left: the client's owner is called again when it is gone. */
bool client_flush(struct client *client);
/* Sends what was put and then these pieces, without a copy where the socket takes them all. `taken`: whether the pieces are
 * on their way; not, when the socket took nothing of them. Returns whether the socket takes more. */
bool client_send(struct client *client, struct iovec *pieces, int count, bool *taken);

/* The answer to ATTACH, OPEN or EXEC. */
void client_opened(struct client *client, enum spawn_result result, pid_t pid);

/* ERROR; the connection goes on. */
enum handled client_refuse(struct client *client, const char *code, const char *message);
/* ERROR, and no frame after it. */
enum handled client_fail(struct client *client, const char *code, const char *message);
/* What was put is the last; the connection ends when the host has read it. */
void client_end(struct client *client);
/* Ends it now, whatever the host has read. */
void client_close(struct client *client);

/* Whether nothing is left to be sent to anybody. */
bool clients_are_done(void);
/* Whether this process was the command of one. */
bool clients_reaped(pid_t pid, int status);

#endif
