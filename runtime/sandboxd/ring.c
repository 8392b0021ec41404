#include "ring.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

uint64_t ring_oldest(const struct ring *ring)
{
    return ring->next > ring->size ? ring->next - ring->size : 0;
}

struct iovec ring_space(const struct ring *ring, size_t most)
{
    size_t at = (size_t)(ring->next & (ring->size - 1));
    return (struct iovec){ring->memory + at, least(most, ring->size - at)};
}

void ring_commit(struct ring *ring, size_t written)
{
    ring->next += written;
}

size_t ring_read(const struct ring *ring, uint64_t offset, size_t most, struct iovec pieces[2])
{
    size_t length = most;
    if (ring->next - offset < length)
        length = (size_t)(ring->next - offset);
    size_t at = (size_t)(offset & (ring->size - 1));
    size_t first = least(length, ring->size - at);
    pieces[0] = (struct iovec){ring->memory + at, first};
    pieces[1] = (struct iovec){ring->memory, length - first};
    return length;
}
