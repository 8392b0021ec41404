#include "request.h"

#include <string.h>

#include "bytes.h"

#define BIT(tag) (1u << (tag))
#define COMMAND (BIT(TAG_ARG) | BIT(TAG_ENV) | BIT(TAG_CWD) | BIT(TAG_USER) | BIT(TAG_FLAGS))
#define SIZE (BIT(TAG_COLS) | BIT(TAG_ROWS))

static const struct shape {
    enum frame_type type;
    uint32_t required, optional, flags;
} shapes[] = {
    {FRAME_START, BIT(TAG_SECONDS), BIT(TAG_RING), 0},
    {FRAME_OPEN, BIT(TAG_ID) | BIT(TAG_ARG) | SIZE, COMMAND | BIT(TAG_TIMEOUT), OPEN_MAIN | OPEN_BARE | OPEN_KEEP},
    {FRAME_ATTACH, BIT(TAG_ID) | BIT(TAG_WINDOW), SIZE | BIT(TAG_OFFSET) | BIT(TAG_CLIENT) | BIT(TAG_TIMEOUT) | BIT(TAG_FLAGS),
     ATTACH_OBSERVE | ATTACH_KEEP | ATTACH_RELEASE},
    {FRAME_CLOSE, BIT(TAG_ID), 0, 0},
    {FRAME_LIST, 0, 0, 0},
    {FRAME_EXEC, BIT(TAG_ARG), COMMAND | BIT(TAG_TIMEOUT) | BIT(TAG_LIMIT),
     EXEC_ACKNOWLEDGED | EXEC_BARE | EXEC_SELF},
    {FRAME_DEADLINE, BIT(TAG_SECONDS), 0, 0},
    {FRAME_SIGNAL, BIT(TAG_ID) | BIT(TAG_SIGNAL), 0, 0},
};

static const struct shape *shape_of(enum frame_type type)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shapes[i].type == type)
            return &shapes[i];
    return NULL;
}

static bool is_id(struct text text)
{
    if (text.length == 0 || text.length > ID_MAX)
        return false;
    for (uint32_t i = 0; i < text.length; i++) {
        uint8_t c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

static bool has_nul(struct text text)
{
    return text.length && memchr(text.data, 0, text.length);
}

static bool is_variable(struct text text)
{
    const uint8_t *equals = text.length ? memchr(text.data, '=', text.length) : NULL;
    return equals && equals > text.data && !has_nul(text);
}

static bool take_u16(struct text value, uint16_t *to, uint16_t least, uint16_t most)
{
    if (value.length != 2)
        return false;
    *to = get_u16(value.data);
    return *to >= least && *to <= most;
}

static bool take_u32(struct text value, uint32_t *to, uint32_t least, uint32_t most)
{
    if (value.length != 4)
        return false;
    *to = get_u32(value.data);
    return *to >= least && *to <= most;
}

static bool take_u64(struct text value, uint64_t *to, uint64_t least, uint64_t most)
{
    if (value.length != 8)
        return false;
    *to = get_u64(value.data);
    return *to >= least && *to <= most;
}

static bool take_id(struct text value, char id[ID_MAX + 1])
{
    if (!is_id(value))
        return false;
    memcpy(id, value.data, value.length);
    id[value.length] = 0;
    return true;
}

static bool take_directory(struct text value, struct command_line *command)
{
    command->directory = value;
    return value.length > 0 && value.data[0] == '/' && !has_nul(value);
}

static const char *take(struct request *request, enum tag tag, struct text value, uint32_t flags)
{
    struct command_line *command = &request->command;
    switch (tag) {
    case TAG_ID:
        return take_id(value, request->id) ? NULL : "ID is not a terminal id";
    case TAG_ARG:
        command->args++;
        return has_nul(value) ? "ARG contains a NUL" : NULL;
    case TAG_ENV:
        command->variables++;
        return is_variable(value) ? NULL : "ENV is not NAME=value";
    case TAG_CWD:
        return take_directory(value, command) ? NULL : "CWD is not an absolute path";
    case TAG_USER:
        command->user = value;
        return has_nul(value) ? "USER contains a NUL" : NULL;
    case TAG_COLS:
        return take_u16(value, &request->cols, 1, SIDE_MAX) ? NULL : "COLS is not 1 to 1000";
    case TAG_ROWS:
        return take_u16(value, &request->rows, 1, SIDE_MAX) ? NULL : "ROWS is not 1 to 1000";
    case TAG_FLAGS:
        return take_u32(value, &request->flags, 0, UINT32_MAX) && !(request->flags & ~flags) ? NULL
                                                                                            : "FLAGS is unknown";
    case TAG_OFFSET:
        return take_u64(value, &request->offset, 0, UINT64_MAX) ? NULL : "OFFSET is not a u64";
    case TAG_WINDOW:
        return take_u32(value, &request->window, WINDOW_MIN, WINDOW_MAX) ? NULL : "WINDOW is not 4 KiB to 16 MiB";
    case TAG_CLIENT:
        return take_u64(value, &request->client, 0, UINT64_MAX) ? NULL : "CLIENT is not a u64";
    case TAG_TIMEOUT:
        return take_u32(value, &request->timeout_ms, 0, UINT32_MAX) ? NULL : "TIMEOUT is not a u32";
    case TAG_LIMIT:
        return take_u64(value, &request->limit, 0, UINT64_MAX) ? NULL : "LIMIT is not a u64";
    case TAG_SECONDS:
        return take_u64(value, &request->seconds, 1, SECONDS_MAX) ? NULL : "SECONDS is not 1 to 316224000";
    case TAG_SIGNAL:
        return take_u32(value, &request->signal, 1, SIGNAL_MAX) ? NULL : "SIGNAL is not 1 to 64";
    case TAG_RING:
        return take_u32(value, &request->ring, RING_MIN, RING_MAX) ? NULL : "RING is not 64 KiB to 64 MiB";
    default:
        return "a field is not allowed here";
    }
}

static const char *take_next(struct request *request, const struct shape *shape, struct field field)
{
    if (field.tag > TAG_LAST || !((shape->required | shape->optional) & BIT(field.tag)))
        return "a field is not allowed here";
    if (request_has(request, field.tag) && field.tag != TAG_ARG && field.tag != TAG_ENV)
        return "a field came twice";
    request->given |= BIT(field.tag);
    return take(request, field.tag, field.value, shape->flags);
}

const char *request_parse(const struct frame *frame, struct request *request)
{
    const struct shape *shape = shape_of(frame->type);
    if (!shape)
        return "this frame is not a request";
    memset(request, 0, sizeof *request);
    request->type = frame->type;
    request->command.fields = (struct fields){frame->payload, frame->length};
    struct fields fields = request->command.fields;
    struct field field;
    enum fields_state state;
    while ((state = fields_next(&fields, &field)) == FIELDS_MORE) {
        const char *wrong = take_next(request, shape, field);
        if (wrong)
            return wrong;
    }
    if (state == FIELDS_INVALID)
        return "a field is cut off";
    if ((request->given & shape->required) != shape->required)
        return "a field is missing";
    if (request_has(request, TAG_COLS) != request_has(request, TAG_ROWS))
        return "COLS and ROWS go together";
    return NULL;
}
