/* RESTORE FILE RING OFFSET: the file's bytes went through a ring of that size, of which those before the offset are about to
 * be overwritten. Says on one line where somebody new begins to read, and on the next what they are sent first, in hex. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tail.h"

#define TURN 4096u

static uint8_t memory[4u << 20];

/* As terminal.c does with what it reads. */
static void write_ring(struct tail *tail, struct ring *ring, const uint8_t *data, size_t length)
{
    struct iovec space = ring_space(ring, length);
    if (ring->next + space.iov_len > ring->size)
        tail_move(tail, ring, ring->next + space.iov_len - ring->size);
    memcpy(space.iov_base, data, space.iov_len);
    ring_commit(ring, space.iov_len);
    if (space.iov_len < length)
        write_ring(tail, ring, data + space.iov_len, length - space.iov_len);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;
    size_t size = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
    if (!file || !size || size > sizeof memory || (size & (size - 1)))
        return 2;
    struct ring ring = {.memory = memory, .size = size, .next = 0};
    struct tail tail;
    tail_reset(&tail);
    uint8_t turn[TURN], restored[MODES_TEXT_MAX];
    for (size_t got; (got = fread(turn, 1, sizeof turn, file)) > 0;)
        write_ring(&tail, &ring, turn, got);
    fclose(file);
    tail_move(&tail, &ring, strtoull(argv[3], NULL, 10));
    size_t length = modes_write(&tail.modes, &tail.escape, restored);
    printf("%llu %d\n", (unsigned long long)tail.at, tail_ends_in_alternate(&tail, &ring));
    for (size_t i = 0; i < length; i++)
        printf("%02x", restored[i]);
    printf("\n");
    return 0;
}
