/* What programs write: no access beyond it, the same modes however it is cut, and what restores them is itself read as them. */
#include <string.h>

#include "../tail.h"
#include "target.h"

#define RING_SIZE 16384u

static void feed_in_pieces(struct tail *tail, const uint8_t *data, size_t size)
{
    for (size_t at = 0, step = 1; at < size; at += step, step = step % 7 + 1)
        escape_feed(&tail->escape, &tail->modes, data + at, size - at < step ? size - at : step);
}

static void check_restored(const struct tail *tail)
{
    static uint8_t text[MODES_TEXT_MAX + 1];
    text[MODES_TEXT_MAX] = 0xaa;
    size_t length = modes_write(&tail->modes, &tail->escape, text);
    PROMISE(length <= MODES_TEXT_MAX && text[MODES_TEXT_MAX] == 0xaa);
    struct tail again;
    tail_reset(&again);
    escape_feed(&again.escape, &again.modes, text, length);
    PROMISE(escape_at_rest(&again.escape) == (tail->escape.state == ESCAPE_GROUND));
    PROMISE(!memcmp(&again.modes, &tail->modes, sizeof again.modes));
}

static void fuzz_modes(const uint8_t *data, size_t size)
{
    struct tail whole, pieces;
    tail_reset(&whole);
    tail_reset(&pieces);
    escape_feed(&whole.escape, &whole.modes, data, size);
    feed_in_pieces(&pieces, data, size);
    PROMISE(!memcmp(&whole, &pieces, sizeof whole));
    check_restored(&whole);
}

static void fuzz_tail(const uint8_t *data, size_t size)
{
    static uint8_t memory[RING_SIZE];
    struct ring ring = {.memory = memory, .size = RING_SIZE, .next = 0};
    struct tail tail;
    tail_reset(&tail);
    while (size) {
        size_t turn = size < 1000 ? size : 1000;
        struct iovec space = ring_space(&ring, turn);
        uint64_t kept = ring.next + space.iov_len > RING_SIZE ? ring.next + space.iov_len - RING_SIZE : 0;
        tail_move(&tail, &ring, kept);
        PROMISE(tail.at >= kept && tail.at <= ring.next);
        memcpy(space.iov_base, data, space.iov_len);
        ring_commit(&ring, space.iov_len);
        data += space.iov_len;
        size -= space.iov_len;
        PROMISE(tail.at >= ring_oldest(&ring));
    }
    tail_ends_in_alternate(&tail, &ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_modes(data, size);
    fuzz_tail(data, size);
    return 0;
}
