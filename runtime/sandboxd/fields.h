/* Fields: `u8 tag | u32 length | value` (PROTOCOL.md, section 1). Pure: no I/O, no allocation. */
#ifndef SANDBOXD_FIELDS_H
#define SANDBOXD_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tag {
    TAG_ID = 1,
    TAG_ARG,
    TAG_ENV,
    TAG_CWD,
    TAG_USER,
    TAG_COLS,
    TAG_ROWS,
    TAG_FLAGS,
    TAG_OFFSET,
    TAG_WINDOW,
    TAG_CLIENT,
    TAG_TIMEOUT,
    TAG_LIMIT,
    TAG_SECONDS,
    TAG_CODE,
    TAG_MESSAGE,
    TAG_EXIT_CODE,
    TAG_SIGNAL,
    TAG_PID,
    TAG_VERSION,
    TAG_INPUT,
    TAG_TERMINAL,
    TAG_RING,
    TAG_NEXT,
    TAG_HOSTNAME,
    TAG_MILLISECONDS,
    TAG_LAST = TAG_MILLISECONDS,
};

#define FIELD_HEADER 5u

struct text { /* bytes that belong to somebody else, without a NUL at the end */
    const uint8_t *data;
    uint32_t length;
};

struct field {
    uint8_t tag;
    struct text value;
};

struct fields { /* what is still to be read */
    const uint8_t *at;
    size_t left;
};

enum fields_state { FIELDS_END, FIELDS_MORE, FIELDS_INVALID };

/* The next field; its value points into the payload. INVALID when it is cut off. Knows nothing of tags. */
enum fields_state fields_next(struct fields *fields, struct field *field);

struct writer { /* appends to a buffer; what does not fit sets `full` and writes nothing more */
    uint8_t *at, *end;
    bool full;
};

void write_bytes(struct writer *writer, enum tag tag, const void *data, size_t length);
void write_text(struct writer *writer, enum tag tag, const char *text);
void write_u16(struct writer *writer, enum tag tag, uint16_t value);
void write_u32(struct writer *writer, enum tag tag, uint32_t value);
void write_u64(struct writer *writer, enum tag tag, uint64_t value);

#endif
