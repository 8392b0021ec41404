#include "frame.h"

#include "bytes.h"

enum frame_state frame_next(const uint8_t *data, size_t size, struct frame *frame)
{
    if (size < 4)
        return FRAME_PARTIAL;
    uint32_t body = get_u32(data);
    if (body == 0 || body > FRAME_BODY_MAX)
        return FRAME_INVALID;
    if (size - 4 < body)
        return FRAME_PARTIAL;
    frame->type = data[4];
    frame->payload = data + FRAME_HEADER;
    frame->length = body - 1;
    return FRAME_COMPLETE;
}

void frame_header(uint8_t out[FRAME_HEADER], enum frame_type type, size_t length)
{
    put_u32(out, (uint32_t)length + 1);
    out[4] = (uint8_t)type;
}
