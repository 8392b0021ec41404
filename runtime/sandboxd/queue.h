/* 64 KiB of bytes on their way into a program. Pure: no I/O, no allocation. */
#ifndef SANDBOXD_QUEUE_H
#define SANDBOXD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_SIZE 65536u /* any one frame of input fits when it is empty */

struct queue {
    uint32_t from, used;
    uint8_t bytes[QUEUE_SIZE];
};

/* Takes all of it or, when it does not fit now, nothing. */
bool queue_put(struct queue *queue, const uint8_t *data, size_t length);
/* The first waiting bytes in one piece; 0 when there are none. queue_drop forgets that many of them. */
size_t queue_peek(const struct queue *queue, const uint8_t **data);
void queue_drop(struct queue *queue, size_t length);

/* Writes to a descriptor until it takes no more. False when it never will again: what waited is forgotten. */
bool queue_write(struct queue *queue, int fd);

#endif
