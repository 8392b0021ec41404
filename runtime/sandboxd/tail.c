#include "tail.h"

#include <string.h>

#define LINE_MOST 4096u /* so far a line's end is looked for */
#define SEQUENCE_MOST 4096u /* so far, then, the end of a sequence; images and hostile ones are longer */
#define CHARACTER_MOST 4u

void tail_reset(struct tail *tail)
{
    memset(tail, 0, sizeof *tail);
    modes_reset(&tail->modes);
}

static void feed(struct tail *tail, const struct ring *ring, uint64_t end)
{
    struct iovec pieces[2];
    ring_read(ring, tail->at, (size_t)(end - tail->at), pieces);
    for (int i = 0; i < 2; i++)
        escape_feed(&tail->escape, &tail->modes, pieces[i].iov_base, pieces[i].iov_len);
    tail->at = end;
}

static uint8_t byte_at(const struct ring *ring, uint64_t offset)
{
    return ring->memory[offset & (ring->size - 1)];
}

static uint64_t limit(const struct tail *tail, const struct ring *ring, uint64_t most)
{
    return ring->next - tail->at < most ? ring->next : tail->at + most;
}

static bool ended_line(struct tail *tail, const struct ring *ring)
{
    for (uint64_t end = limit(tail, ring, LINE_MOST); tail->at < end;) {
        uint8_t byte = byte_at(ring, tail->at);
        feed(tail, ring, tail->at + 1);
        if (byte == '\n' && escape_at_rest(&tail->escape))
            return true;
    }
    return false;
}

static void end_sequence(struct tail *tail, const struct ring *ring)
{
    for (uint64_t end = limit(tail, ring, SEQUENCE_MOST); tail->at < end && !escape_at_rest(&tail->escape);)
        feed(tail, ring, tail->at + 1);
    for (uint64_t end = limit(tail, ring, CHARACTER_MOST); tail->at < end && (byte_at(ring, tail->at) & 0xc0) == 0x80;)
        feed(tail, ring, tail->at + 1);
}

void tail_move(struct tail *tail, const struct ring *ring, uint64_t offset)
{
    if (offset <= tail->at)
        return;
    feed(tail, ring, offset);
    if (!ended_line(tail, ring))
        end_sequence(tail, ring);
}

bool tail_ends_in_alternate(const struct tail *tail, const struct ring *ring)
{
    struct tail end = *tail;
    feed(&end, ring, ring->next);
    return end.modes.alternate;
}
