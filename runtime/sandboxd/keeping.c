#include "keeping.h"

/* More than a PTY can hold: when its process has ended, all that is left in it is read at once. Of the default ring, 128 KiB. */
#define RESERVE_SHARE 8

void keeping_begin(struct keeping *keeping, uint64_t from, uint32_t patience)
{
    timer_stop(&keeping->timer);
    keeping->on = true;
    keeping->lapsed = false;
    keeping->taken = from;
    keeping->patience = patience ? patience : PATIENCE_MS;
}

void keeping_took(struct keeping *keeping, uint64_t offset)
{
    if (!keeping->on || offset <= keeping->taken)
        return;
    keeping->taken = offset;
    keeping->lapsed = false;
    timer_stop(&keeping->timer);
}

void keeping_end(struct keeping *keeping)
{
    timer_stop(&keeping->timer);
    keeping->on = false;
}

uint64_t keeping_room(const struct keeping *keeping, const struct ring *ring)
{
    if (!keeping->on || keeping->lapsed)
        return UINT64_MAX;
    uint64_t end = keeping->taken + ring->size - ring->size / RESERVE_SHARE;
    return end > ring->next ? end - ring->next : 0;
}

void keeping_look(struct keeping *keeping, const struct ring *ring)
{
    if (keeping_room(keeping, ring))
        timer_stop(&keeping->timer);
    else if (!keeping->timer.at)
        timer_set(&keeping->timer, keeping->patience);
}

bool keeping_waits(const struct keeping *keeping, const struct ring *ring)
{
    return keeping->on && !keeping->lapsed && keeping->taken < ring->next;
}
