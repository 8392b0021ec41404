/* Output that must not be lost: while it is not taken the program waits, but not for ever. */
#ifndef SANDBOXD_KEEPING_H
#define SANDBOXD_KEEPING_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "ring.h"

#define PATIENCE_MS 60000 /* what is asked for with none given */

struct keeping {
    bool on;
    bool lapsed; /* nobody came in time: the program goes on, and what leaves the ring is lost */
    uint64_t taken; /* what is before this is safe */
    uint32_t patience; /* milliseconds */
    struct timer timer; /* runs while the program waits */
};

/* From now on what is behind `from` is kept. `patience` 0: as long as usual. */
void keeping_begin(struct keeping *keeping, uint64_t from, uint32_t patience);
/* All before `offset` is safe. */
void keeping_took(struct keeping *keeping, uint64_t offset);
void keeping_end(struct keeping *keeping);

/* How many bytes may be written before something is lost; UINT64_MAX: as many as one likes. */
uint64_t keeping_room(const struct keeping *keeping, const struct ring *ring);
/* Lets the patience run while there is no room. */
void keeping_look(struct keeping *keeping, const struct ring *ring);
/* Whether there is output that somebody should still come for. */
bool keeping_waits(const struct keeping *keeping, const struct ring *ring);

#endif
