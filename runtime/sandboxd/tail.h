/* Where somebody new may begin to read a ring whose first bytes are gone, and what the terminal was like there. Pure. */
#ifndef SANDBOXD_TAIL_H
#define SANDBOXD_TAIL_H

#include "escape.h"
#include "modes.h"
#include "ring.h"

struct tail {
    uint64_t at; /* offset: not before the oldest byte, at the beginning of a line or at least of something */
    struct escape escape;
    struct modes modes;
};

void tail_reset(struct tail *tail);

/* To be called before the bytes of the ring before `offset` are overwritten. */
void tail_move(struct tail *tail, const struct ring *ring, uint64_t offset);

/* Whether the alternate screen is shown at the end of the ring. Reads all of it. */
bool tail_ends_in_alternate(const struct tail *tail, const struct ring *ring);

#endif
