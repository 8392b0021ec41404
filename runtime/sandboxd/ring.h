/* The last bytes of a terminal's output, addressed by a 64-bit offset that starts at 0. Pure: the memory is the caller's. */
#ifndef SANDBOXD_RING_H
#define SANDBOXD_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ring {
    uint8_t *memory;
    size_t size; /* a power of two */
    uint64_t next; /* offset after the last byte written */
};

/* Oldest offset that can still be read. */
uint64_t ring_oldest(const struct ring *ring);

/* Where the next bytes go: at most `most`, in one piece, so perhaps fewer. Overwrites the oldest once ring_commit is called
 * with what was really written there. */
struct iovec ring_space(const struct ring *ring, size_t most);
void ring_commit(struct ring *ring, size_t written);

/* The bytes from `offset` on, at most `most`, as one or two pieces in `pieces`. Returns how many bytes that is.
 * `offset` must be between ring_oldest and next. */
size_t ring_read(const struct ring *ring, uint64_t offset, size_t most, struct iovec pieces[2]);

#endif
