/* Says, line by line, what the parsers make of the frame in a file; the tests compare that with the golden index. */
#include <stdio.h>

#include "../bytes.h"
#include "../request.h"

static uint8_t data[FRAME_MAX + 1];

static void print_hex(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static void print_text(const char *name, struct text text)
{
    if (text.data) {
        printf("request %s ", name);
        print_hex(text.data, text.length);
    }
}

static void print_number(const struct request *request, enum tag tag, const char *name, uint64_t value)
{
    if (request_has(request, tag))
        printf("request %s %llu\n", name, (unsigned long long)value);
}

static void print_request(const struct request *request)
{
    if (request_has(request, TAG_ID))
        printf("request ID %s\n", request->id);
    printf("request ARGS %u\n", request->command.args);
    printf("request ENVS %u\n", request->command.variables);
    print_text("CWD", request->command.directory);
    print_text("USER", request->command.user);
    print_number(request, TAG_COLS, "COLS", request->cols);
    print_number(request, TAG_ROWS, "ROWS", request->rows);
    print_number(request, TAG_FLAGS, "FLAGS", request->flags);
    print_number(request, TAG_OFFSET, "OFFSET", request->offset);
    print_number(request, TAG_WINDOW, "WINDOW", request->window);
    print_number(request, TAG_CLIENT, "CLIENT", request->client);
    print_number(request, TAG_TIMEOUT, "TIMEOUT", request->timeout_ms);
    print_number(request, TAG_LIMIT, "LIMIT", request->limit);
    print_number(request, TAG_SECONDS, "SECONDS", request->seconds);
    print_number(request, TAG_SIGNAL, "SIGNAL", request->signal);
    print_number(request, TAG_RING, "RING", request->ring);
}

/* Prints the fields and writes them once more; the bytes must be the same. */
static void print_fields(const struct frame *frame)
{
    static uint8_t again[FRAME_MAX];
    struct writer writer = {.at = again + FRAME_HEADER, .end = again + sizeof again};
    struct fields fields = {frame->payload, frame->length};
    struct field field;
    enum fields_state state;
    while ((state = fields_next(&fields, &field)) == FIELDS_MORE) {
        printf("field %u ", field.tag);
        print_hex(field.value.data, field.value.length);
        write_bytes(&writer, field.tag, field.value.data, field.value.length);
    }
    if (state == FIELDS_INVALID) {
        printf("fields invalid\n");
        return;
    }
    size_t length = (size_t)(writer.at - again) - FRAME_HEADER;
    frame_header(again, frame->type, length);
    bool same = length == frame->length;
    for (size_t i = 0; same && i < FRAME_HEADER + length; i++)
        same = again[i] == data[i];
    printf("again %s\n", same ? "same" : "different");
}

static int inspect(size_t size)
{
    static const char *const states[] = {"partial", "complete", "invalid"};
    struct frame frame;
    struct request request;
    for (size_t part = 0; part < size; part++)
        if (frame_next(data, part, &frame) == FRAME_COMPLETE)
            printf("complete too early\n");
    enum frame_state state = frame_next(data, size, &frame);
    printf("frame %s\n", states[state]);
    if (state != FRAME_COMPLETE)
        return 0;
    printf("type %u\npayload ", frame.type);
    print_hex(frame.payload, frame.length);
    const char *wrong = request_parse(&frame, &request);
    if (wrong)
        printf("refused %s\n", wrong);
    else
        print_request(&request);
    print_fields(&frame);
    return 0;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        return 2;
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    return inspect(size);
}
