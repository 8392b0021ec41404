/* Requests, checked as a whole before anything is done. Pure: no I/O, no allocation. */
#ifndef SANDBOXD_REQUEST_H
#define SANDBOXD_REQUEST_H

#include <stdbool.h>

#include "fields.h"
#include "frame.h"

#define ID_MAX 64
#define WINDOW_MIN (4u << 10)
#define WINDOW_MAX (16u << 20)
#define RING_MIN (64u << 10)
#define RING_MAX (64u << 20)
#define RING_DEFAULT (1u << 20)
#define SECONDS_MAX (10ull * 366 * 86400)
#define SIGNAL_MAX 64u

enum open_flag { OPEN_MAIN = 1, OPEN_BARE = 2, OPEN_KEEP = 4 };
enum attach_flag { ATTACH_OBSERVE = 1, ATTACH_KEEP = 2, ATTACH_RELEASE = 4 };
enum exec_flag { EXEC_ACKNOWLEDGED = 1, EXEC_BARE = 2, EXEC_SELF = 4 };

struct command_line { /* what OPEN and EXEC have in common */
    struct fields fields; /* all of them: ARG and ENV are read from here once more */
    unsigned args, variables;
    struct text directory, user; /* data NULL: not given */
};

struct request {
    enum frame_type type;
    uint32_t given; /* bit 1 << tag for each tag that came */
    char id[ID_MAX + 1];
    struct command_line command;
    uint16_t cols, rows;
    uint32_t flags, window, timeout_ms, signal, ring;
    uint64_t offset, client, limit, seconds;
};

static inline bool request_has(const struct request *request, enum tag tag)
{
    return request->given & 1u << tag;
}

/* Returns NULL, or what is wrong with it in words (for ERROR protocol). `request` then must not be used. Values that are
 * not given are zero; texts point into the frame. */
const char *request_parse(const struct frame *frame, struct request *request);

#endif
