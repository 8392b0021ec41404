/* Ring, queue and senders, beside models so simple that they are right: the byte at an offset follows from the offset. */
#include <string.h>

#include "../queue.h"
#include "../ring.h"
#include "../senders.h"
#include "target.h"

#define RING_SIZE 256 /* small, so that it wraps all the time */

struct script {
    const uint8_t *at, *end;
};

static uint8_t take(struct script *script)
{
    return script->at < script->end ? *script->at++ : 0;
}

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 131 + (offset >> 8));
}

static void write_ring(struct ring *ring, size_t most)
{
    struct iovec space = ring_space(ring, most);
    uint8_t *to = space.iov_base;
    PROMISE(space.iov_len <= most && (space.iov_len || !most));
    PROMISE(to >= ring->memory && to + space.iov_len <= ring->memory + ring->size);
    for (size_t i = 0; i < space.iov_len; i++)
        to[i] = byte_at(ring->next + i);
    ring_commit(ring, space.iov_len);
}

static void read_ring(const struct ring *ring, size_t back, size_t most)
{
    uint64_t oldest = ring_oldest(ring);
    PROMISE(ring->next - oldest <= ring->size);
    uint64_t offset = ring->next - oldest < back ? oldest : ring->next - back;
    struct iovec pieces[2];
    size_t length = ring_read(ring, offset, most, pieces), at = 0;
    PROMISE(length == pieces[0].iov_len + pieces[1].iov_len);
    PROMISE(length == (ring->next - offset < most ? ring->next - offset : most));
    for (int piece = 0; piece < 2; piece++)
        for (size_t i = 0; i < pieces[piece].iov_len; i++, at++)
            PROMISE(((uint8_t *)pieces[piece].iov_base)[i] == byte_at(offset + at));
}

static void fuzz_ring(struct script script)
{
    static uint8_t memory[RING_SIZE];
    struct ring ring = {.memory = memory, .size = RING_SIZE, .next = 0};
    while (script.at < script.end) {
        uint8_t what = take(&script);
        if (what & 1)
            write_ring(&ring, take(&script));
        else
            read_ring(&ring, (size_t)take(&script) * 2, (size_t)take(&script) * 2);
    }
}

static void fuzz_queue(struct script script)
{
    static struct queue queue;
    static uint8_t data[QUEUE_SIZE + 1];
    uint64_t written = 0, read = 0;
    queue.from = take(&script) * 257u % QUEUE_SIZE; /* near the end it wraps with little in it */
    queue.used = 0;
    while (script.at < script.end) {
        uint8_t what = take(&script);
        size_t length = what >= 0xfc ? (size_t)take(&script) * 257u + (what >> 1) : take(&script);
        length = length > sizeof data ? sizeof data : length;
        if (what & 1) {
            for (size_t i = 0; i < length; i++)
                data[i] = byte_at(written + i);
            bool fits = length <= QUEUE_SIZE - (written - read);
            PROMISE(queue_put(&queue, data, length) == fits);
            written += fits ? length : 0;
        } else {
            const uint8_t *front;
            size_t there = queue_peek(&queue, &front);
            PROMISE((there > 0) == (written > read));
            length = length < there ? length : there;
            for (size_t i = 0; i < length; i++)
                PROMISE(front[i] == byte_at(read + i));
            queue_drop(&queue, length);
            read += length;
        }
        PROMISE(queue.used == written - read);
    }
}

static void send_something(struct sender *sender, struct script *script, uint64_t model[256])
{
    uint64_t offset = take(script), length = take(script) + 1u;
    size_t skip = 99;
    enum sent sent = sender_check(sender, offset, (size_t)length, &skip);
    uint64_t accepted = model[sender->client];
    PROMISE((sent == SENT_AHEAD) == (offset > accepted));
    PROMISE((sent == SENT_BEFORE) == (offset + length <= accepted));
    if (sent != SENT_NEW)
        return;
    PROMISE(offset + skip == accepted);
    sender->accepted += length - skip;
    model[sender->client] = offset + length;
}

/* A client that stays attached is never forgotten; one that comes back is known, or starts anew. */
static void fuzz_senders(struct script script)
{
    static struct senders senders;
    static uint64_t model[256];
    static struct sender *attached[64];
    size_t count = 0;
    memset(&senders, 0, sizeof senders);
    memset(model, 0, sizeof model);
    while (script.at < script.end) {
        uint8_t what = take(&script);
        if (what & 1 && count < 64) {
            uint64_t client = take(&script) % 40 + 1u;
            struct sender *sender = sender_attach(&senders, client);
            if (!sender)
                continue;
            PROMISE(sender->client == client);
            PROMISE(sender->accepted == model[client] || sender->accepted == 0);
            model[client] = sender->accepted;
            attached[count++] = sender;
        } else if (what & 2 && count) {
            sender_detach(attached[--count]);
        } else if (count) {
            send_something(attached[what % count], &script, model);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = {data, data + (size < 200 ? size : 200)};
    fuzz_ring(script);
    fuzz_queue(script);
    fuzz_senders(script);
    return 0;
}
