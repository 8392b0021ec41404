/* Frames: `u32 length | u8 type | payload` (PROTOCOL.md, section 1). Pure: no I/O, no allocation. */
#ifndef SANDBOXD_FRAME_H
#define SANDBOXD_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_BODY_MAX 65601u /* type and payload */
#define FRAME_PAYLOAD_MAX (FRAME_BODY_MAX - 1)
#define FRAME_HEADER 5u /* length and type */
#define FRAME_MAX (4u + FRAME_BODY_MAX)
#define DATA_MAX 65536u /* bytes of a terminal or a command in one frame */
#define SIDE_MAX 1000u  /* columns or rows */

enum frame_type {
    FRAME_INPUT = 0x00,
    FRAME_RESIZE = 0x01,
    FRAME_ACK = 0x02,
    FRAME_INPUT_AT = 0x03,
    FRAME_WINDOW = 0x04,
    FRAME_STDIN = 0x08,
    FRAME_KILL = 0x09,
    FRAME_START = 0x10,
    FRAME_OPEN = 0x11,
    FRAME_ATTACH = 0x12,
    FRAME_CLOSE = 0x13,
    FRAME_LIST = 0x14,
    FRAME_EXEC = 0x15,
    FRAME_DEADLINE = 0x16,
    FRAME_SIGNAL = 0x17,
    FRAME_OUTPUT = 0x81,
    FRAME_EXIT = 0x82,
    FRAME_INPUT_ACK = 0x84,
    FRAME_RESTORE = 0x85,
    FRAME_STDOUT = 0x88,
    FRAME_STDERR = 0x89,
    FRAME_HELLO = 0x90,
    FRAME_OK = 0x91,
    FRAME_ERROR = 0x92,
    FRAME_GAP = 0x93,
    FRAME_RESIZED = 0x94,
};

struct frame {
    uint8_t type;
    const uint8_t *payload;
    size_t length; /* of the payload */
};

enum frame_state { FRAME_PARTIAL, FRAME_COMPLETE, FRAME_INVALID };

/* Looks for one frame at the start of `data`. When complete, it took FRAME_HEADER + frame->length bytes, and
 * frame->payload points into `data`. INVALID is known as soon as the length is: a hostile length reserves nothing. */
enum frame_state frame_next(const uint8_t *data, size_t size, struct frame *frame);

/* Writes length and type of a frame whose payload has that length. */
void frame_header(uint8_t out[FRAME_HEADER], enum frame_type type, size_t length);

#endif
