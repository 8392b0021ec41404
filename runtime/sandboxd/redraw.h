/* Has a full-screen program draw its screen again, for a client that did not get all that made it what it is. */
#ifndef SANDBOXD_REDRAW_H
#define SANDBOXD_REDRAW_H

#include <stdbool.h>

#include "loop.h"

struct terminal;

struct redraw {
    struct timer timer;
    int64_t last; /* milliseconds of loop_now; 0: never */
    bool squeezed; /* the PTY has one row less than the terminal, for a moment */
};

void redraw_init(struct redraw *redraw);
/* A little later, once for all who ask until then, and not more often than every two seconds. */
void redraw_soon(struct redraw *redraw);

#endif
