#include "redraw.h"

#include "pty.h"
#include "terminal.h"

#define GATHER_MS 100 /* several clients come back together */
#define SQUEEZED_MS 60 /* so long a program has to look at its size: SIGWINCH alone means nothing where it has not changed */
#define BETWEEN_MS 2000

static void fire(struct timer *timer)
{
    struct terminal *terminal = CONTAINER_OF(timer, struct terminal, redraw.timer);
    struct redraw *redraw = &terminal->redraw;
    if (redraw->squeezed) {
        redraw->squeezed = false;
        pty_resize(terminal->master.fd, terminal->cols, terminal->rows);
        return;
    }
    if (terminal->state != TERMINAL_RUNNING || !tail_ends_in_alternate(&terminal->tail, &terminal->ring))
        return;
    redraw->squeezed = true;
    redraw->last = loop_now();
    pty_resize(terminal->master.fd, terminal->cols, terminal->rows > 1 ? terminal->rows - 1 : 2);
    timer_set(timer, SQUEEZED_MS);
}

void redraw_init(struct redraw *redraw)
{
    redraw->timer.fire = fire;
}

void redraw_soon(struct redraw *redraw)
{
    int64_t wait = redraw->last ? redraw->last + BETWEEN_MS - loop_now() : 0;
    if (!redraw->timer.at)
        timer_set(&redraw->timer, wait > GATHER_MS ? wait : GATHER_MS);
}
