/* Frames, fields, requests, /etc/passwd: any bytes, no access beyond them, nothing accepted that is not allowed. */
#include <string.h>

#include "../passwd.h"
#include "../request.h"
#include "target.h"

static void check_text(struct text text, const uint8_t *data, size_t size)
{
    PROMISE(!text.length || (text.data >= data && text.data + text.length <= data + size));
}

static void check_command(const struct request *request, const struct frame *frame)
{
    struct fields fields = request->command.fields;
    struct field field;
    unsigned args = 0, variables = 0;
    while (fields_next(&fields, &field) == FIELDS_MORE) {
        check_text(field.value, frame->payload, frame->length);
        args += field.tag == TAG_ARG;
        variables += field.tag == TAG_ENV;
    }
    PROMISE(fields.left == 0);
    PROMISE(args == request->command.args && variables == request->command.variables);
    check_text(request->command.directory, frame->payload, frame->length);
    check_text(request->command.user, frame->payload, frame->length);
}

static void check_request(const struct request *request, const struct frame *frame)
{
    PROMISE(!request_has(request, TAG_ID) || (request->id[0] && strlen(request->id) <= ID_MAX));
    PROMISE(!strchr(request->id, '/'));
    PROMISE(!request_has(request, TAG_COLS) || (request->cols >= 1 && request->cols <= SIDE_MAX));
    PROMISE(!request_has(request, TAG_ROWS) || (request->rows >= 1 && request->rows <= SIDE_MAX));
    PROMISE(!request_has(request, TAG_WINDOW) || (request->window >= WINDOW_MIN && request->window <= WINDOW_MAX));
    PROMISE(!request_has(request, TAG_RING) || (request->ring >= RING_MIN && request->ring <= RING_MAX));
    PROMISE(!request_has(request, TAG_SECONDS) || (request->seconds >= 1 && request->seconds <= SECONDS_MAX));
    PROMISE(!request_has(request, TAG_SIGNAL) || (request->signal >= 1 && request->signal <= SIGNAL_MAX));
    check_command(request, frame);
}

/* What the writer makes of the fields is what was read. */
static void check_writer(const struct frame *frame)
{
    static uint8_t again[FRAME_MAX];
    struct writer writer = {.at = again, .end = again + frame->length};
    struct fields fields = {frame->payload, frame->length};
    struct field field;
    while (fields_next(&fields, &field) == FIELDS_MORE)
        write_bytes(&writer, field.tag, field.value.data, field.value.length);
    size_t length = (size_t)(writer.at - again);
    PROMISE(!writer.full && length == frame->length - fields.left);
    PROMISE(!length || !memcmp(again, frame->payload, length));
    write_u32(&writer, TAG_PID, 1);
    PROMISE(frame->length - length >= 9 || writer.full);
}

static void fuzz_frames(const uint8_t *data, size_t size)
{
    struct frame frame;
    struct request request;
    while (frame_next(data, size, &frame) == FRAME_COMPLETE) {
        PROMISE(frame.payload == data + FRAME_HEADER && frame.length <= size - FRAME_HEADER);
        PROMISE(frame.length <= FRAME_PAYLOAD_MAX);
        if (!request_parse(&frame, &request))
            check_request(&request, &frame);
        check_writer(&frame);
        data += FRAME_HEADER + frame.length;
        size -= FRAME_HEADER + frame.length;
    }
}

static void fuzz_accounts(const uint8_t *data, size_t size)
{
    struct text file = {data, (uint32_t)size}, name = {data, (uint32_t)(size / 8)};
    struct account account;
    uint32_t gids[4], gid;
    if (passwd_find_name(file, name, &account)) {
        PROMISE(text_equals(account.name, name));
        check_text(account.home, data, size);
        check_text(account.shell, data, size);
    }
    if (passwd_find_uid(file, 0, &account))
        PROMISE(account.uid == 0 && account.name.length);
    if (group_find_name(file, name, &gid))
        PROMISE(gid < UINT32_MAX);
    PROMISE(group_find_member(file, name, gids, 4) <= 4);
    if (text_to_id(name, &gid))
        PROMISE(gid < UINT32_MAX && name.length >= 1 && name.length <= 10);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_frames(data, size);
    fuzz_accounts(data, size);
    return 0;
}
