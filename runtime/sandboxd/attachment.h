/* One client's view of a terminal: its cursor in the ring, its window, what it has yet to be told. */
#ifndef SANDBOXD_ATTACHMENT_H
#define SANDBOXD_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "loop.h"
#include "request.h"
#include "senders.h"

struct client;
struct terminal;

struct attachment {
    struct attachment *next;
    struct client *client;
    struct terminal *terminal;
    struct sender *sender; /* NULL: it gave no CLIENT */
    uint64_t cursor; /* the next byte to send */
    uint64_t acked;
    uint32_t window;
    bool observer;
    bool keeper; /* what it has not acknowledged is kept for it */
    bool resized, input_acked; /* frames that are due; a slow client gets only the latest of each */
    struct timer ack; /* INPUT_ACK goes with the echo, or alone a little later */
};

enum handled {
    HANDLED,
    HANDLED_LATER, /* there is no room for it now: the frame stays where it is */
    HANDLED_ENDED, /* the client got an error, or is gone */
};

/* Answers ATTACH. */
enum handled attachment_begin(struct client *client, const struct request *request);
enum handled attachment_handle(struct client *client, const struct frame *frame);
/* Sends what the socket takes: sizes, input counts, output as far as the window goes, and the exit after it. */
void attachment_send(struct attachment *attachment);
void attachment_end(struct attachment *attachment);

/* How many bytes the terminal may write before this client's window is full. */
uint64_t attachment_room(const struct attachment *attachment);

#endif
