/* Terminals: a PTY with a process, its ring, its input. They outlive every connection to them. */
#ifndef SANDBOXD_TERMINAL_H
#define SANDBOXD_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include "attachment.h"
#include "fields.h"
#include "keeping.h"
#include "queue.h"
#include "redraw.h"
#include "ring.h"
#include "senders.h"
#include "spawn.h"
#include "tail.h"

#define TERMINALS_MAX 256 /* so that LIST fits in one frame */

struct client;

enum terminal_state { TERMINAL_STARTING, TERMINAL_RUNNING, TERMINAL_EXITED };

struct terminal {
    struct terminal *next;
    char id[ID_MAX + 1];
    enum terminal_state state;
    bool closed; /* CLOSE was asked for: no longer to be found */
    bool main;
    bool hung_up; /* nobody has the slave open, though the process lives */
    bool reaped;
    int status; /* as waitpid gave it, once reaped */
    uint16_t cols, rows;
    int64_t last_input; /* milliseconds of loop_now */
    struct spawn spawn;
    struct watch master;
    struct timer retry, closing;
    struct client *opener; /* waits for the answer to OPEN */
    struct attachment *attachments;
    struct ring ring;
    struct tail tail;
    struct redraw redraw;
    struct keeping keeping;
    struct senders senders;
    struct queue input;
};

/* Sets the size of the rings of terminals that are opened from now on; any number, made a power of two. */
void terminals_use_ring(uint32_t bytes);

/* NULL, and client_opened(opener) will be called once; or the code why it can't be, and nothing is left. */
const char *terminal_open(const struct request *request, struct client *opener, const char **message);
struct terminal *terminal_find(const char *id);
/* Hangs up and forgets the name at once; kills after two seconds. */
void terminal_close(struct terminal *terminal);
/* To the foreground process group, or the command's own where there is none. */
void terminal_signal(struct terminal *terminal, int signal);
void terminal_resize(struct terminal *terminal, uint16_t cols, uint16_t rows);

/* Takes all or, while there is no room for it, nothing. */
bool terminal_input(struct terminal *terminal, const uint8_t *data, size_t length);

/* Reads the PTY or lets the program wait, as windows demand now. To be called when one changed. */
void terminal_gate(struct terminal *terminal);
/* Called when an attachment has left the list; a closed terminal goes after the last one. */
void terminal_left(struct terminal *terminal);

/* Whether this process was the one of a terminal. */
bool terminal_reaped(pid_t pid, int status);

/* Hangs up all but the main one. */
void terminals_hang_up(void);
bool terminals_have_main(void);
/* Whether somebody should still come for output. */
bool terminals_are_kept(void);
/* Writes a TERMINAL field for each. */
void terminals_list(struct writer *writer);

int32_t status_exit_code(int status);
uint32_t status_signal(int status);
int status_as_shell(int status);

#endif
