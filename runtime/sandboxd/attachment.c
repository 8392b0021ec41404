#include "attachment.h"

#include "bytes.h"
#include "client.h"
#include "terminal.h"

#define ACK_DELAY_MS 5

static uint64_t window_end(const struct attachment *attachment)
{
    size_t ring = attachment->terminal->ring.size;
    return attachment->acked + (attachment->window < ring ? attachment->window : ring);
}

uint64_t attachment_room(const struct attachment *attachment)
{
    uint64_t end = window_end(attachment), next = attachment->terminal->ring.next;
    return end > next ? end - next : 0;
}

/* The first byte that somebody can begin with who has not seen those before it. */
static uint64_t beginning(const struct terminal *terminal)
{
    return ring_oldest(&terminal->ring) ? terminal->tail.at : 0;
}

/* What a client needs that begins in the middle. */
static void put_restore(struct attachment *attachment)
{
    struct terminal *terminal = attachment->terminal;
    struct writer payload = client_payload(attachment->client);
    put_u64(payload.at, attachment->cursor);
    payload.at += 8;
    payload.at += modes_write(&terminal->tail.modes, &terminal->tail.escape, payload.at);
    client_put(attachment->client, FRAME_RESTORE, &payload);
    redraw_soon(&terminal->redraw);
}

/* Of bytes that left the ring before they were sent; they count as sent, so the window stays as it was. */
static void put_gap(struct attachment *attachment)
{
    struct writer payload = client_payload(attachment->client);
    uint64_t begin = beginning(attachment->terminal);
    put_u64(payload.at, attachment->cursor);
    put_u64(payload.at + 8, begin);
    payload.at += 16;
    client_put(attachment->client, FRAME_GAP, &payload);
    attachment->acked += begin - attachment->cursor;
    attachment->cursor = begin;
    if (attachment->keeper)
        keeping_took(&attachment->terminal->keeping, begin);
    put_restore(attachment);
}

static void put_resized(struct attachment *attachment)
{
    struct writer payload = client_payload(attachment->client);
    put_u16(payload.at, attachment->terminal->cols);
    put_u16(payload.at + 2, attachment->terminal->rows);
    payload.at += 4;
    client_put(attachment->client, FRAME_RESIZED, &payload);
    attachment->resized = false;
}

static void put_input_ack(struct attachment *attachment)
{
    struct writer payload = client_payload(attachment->client);
    put_u64(payload.at, attachment->sender->accepted);
    payload.at += 8;
    client_put(attachment->client, FRAME_INPUT_ACK, &payload);
    attachment->input_acked = false;
    timer_stop(&attachment->ack);
}

static void put_exit(struct client *client, int status)
{
    struct writer payload = client_payload(client);
    write_u32(&payload, TAG_EXIT_CODE, (uint32_t)status_exit_code(status));
    write_u32(&payload, TAG_SIGNAL, status_signal(status));
    client_put(client, FRAME_EXIT, &payload);
}

/* The most bytes of one frame: a client can acknowledge the first of its window while the others are on their way. */
static size_t portion(const struct attachment *attachment)
{
    size_t quarter = attachment->window / 4;
    return quarter < DATA_MAX ? quarter : DATA_MAX;
}

/* One frame of output straight from the ring. False when there is none to send or the socket takes no more. */
static bool send_output(struct attachment *attachment)
{
    struct ring *ring = &attachment->terminal->ring;
    uint64_t end = window_end(attachment);
    if (attachment->cursor >= end || attachment->cursor == ring->next)
        return false;
    if (attachment->cursor < ring_oldest(ring))
        put_gap(attachment);
    end = window_end(attachment);
    uint64_t most = end - attachment->cursor;
    struct iovec pieces[3];
    size_t usual = portion(attachment);
    size_t length = ring_read(ring, attachment->cursor, most < usual ? (size_t)most : usual, pieces + 1);
    uint8_t header[FRAME_HEADER + 8];
    frame_header(header, FRAME_OUTPUT, 8 + length);
    put_u64(header + FRAME_HEADER, attachment->cursor);
    pieces[0] = (struct iovec){header, sizeof header};
    bool taken;
    bool more = client_send(attachment->client, pieces, 3, &taken);
    if (taken)
        attachment->cursor += length;
    return more;
}

void attachment_send(struct attachment *attachment)
{
    struct client *client = attachment->client;
    const struct terminal *terminal = attachment->terminal;
    do {
        if (!client_flush(client))
            return;
        if (attachment->resized)
            put_resized(attachment);
        if (attachment->input_acked)
            put_input_ack(attachment);
    } while (send_output(attachment));
    if (!client_flush(client) || terminal->state != TERMINAL_EXITED || attachment->cursor != terminal->ring.next)
        return;
    put_exit(client, terminal->status);
    client_end(client);
}

static void ack_due(struct timer *timer)
{
    attachment_send(CONTAINER_OF(timer, struct attachment, ack));
}

static bool find_sender(struct attachment *attachment, const struct request *request)
{
    if (!request->client || attachment->observer)
        return true;
    attachment->sender = sender_attach(&attachment->terminal->senders, request->client);
    return attachment->sender != NULL;
}

static void put_attached(struct attachment *attachment)
{
    const struct terminal *terminal = attachment->terminal;
    bool gone = attachment->cursor < ring_oldest(&terminal->ring);
    struct writer payload = client_payload(attachment->client);
    write_u64(&payload, TAG_OFFSET, gone ? beginning(terminal) : attachment->cursor);
    write_u64(&payload, TAG_NEXT, terminal->ring.next);
    write_u16(&payload, TAG_COLS, terminal->cols);
    write_u16(&payload, TAG_ROWS, terminal->rows);
    write_u64(&payload, TAG_INPUT, attachment->sender ? attachment->sender->accepted : 0);
    client_put(attachment->client, FRAME_OK, &payload);
}

static void keep(struct attachment *attachment, const struct request *request)
{
    struct keeping *keeping = &attachment->terminal->keeping;
    attachment->keeper = request->flags & ATTACH_KEEP;
    if (attachment->keeper)
        keeping_begin(keeping, attachment->cursor, request->timeout_ms);
    else if (request->flags & ATTACH_RELEASE)
        keeping_end(keeping);
}

static void join(struct attachment *attachment)
{
    attachment->next = attachment->terminal->attachments;
    attachment->terminal->attachments = attachment;
    attachment->client->state = CLIENT_ATTACHED;
}

enum handled attachment_begin(struct client *client, const struct request *request)
{
    struct terminal *terminal = terminal_find(request->id);
    bool resizes = request_has(request, TAG_COLS), observer = request->flags & ATTACH_OBSERVE;
    if (!terminal || terminal->state == TERMINAL_STARTING)
        return client_refuse(client, "terminal_unknown", "there is no terminal of that id");
    if (request->offset > terminal->ring.next)
        return client_refuse(client, "bad_offset", "OFFSET is beyond the end of the output");
    if (observer && resizes)
        return client_refuse(client, "forbidden", "who observes can't resize");
    bool continues = request_has(request, TAG_OFFSET);
    uint64_t from = continues ? request->offset : beginning(terminal);
    struct attachment *attachment = &client->attachment;
    *attachment = (struct attachment){
        .client = client,
        .terminal = terminal,
        .cursor = from,
        .acked = from,
        .window = request->window,
        .observer = observer,
        .ack.fire = ack_due,
    };
    if (!find_sender(attachment, request))
        return client_refuse(client, "busy", "too many clients are attached to this terminal");
    if (resizes)
        terminal_resize(terminal, request->cols, request->rows);
    put_attached(attachment);
    if (!continues && from)
        put_restore(attachment);
    keep(attachment, request);
    join(attachment);
    terminal_gate(terminal);
    attachment_send(attachment);
    return HANDLED;
}

void attachment_end(struct attachment *attachment)
{
    struct attachment **link = &attachment->terminal->attachments;
    while (*link != attachment)
        link = &(*link)->next;
    *link = attachment->next;
    timer_stop(&attachment->ack);
    if (attachment->sender)
        sender_detach(attachment->sender);
    terminal_left(attachment->terminal);
}

static enum handled violation(struct attachment *attachment, const char *message)
{
    return client_fail(attachment->client, "protocol", message);
}

static enum handled check_input(struct attachment *attachment, size_t length)
{
    if (attachment->observer)
        return client_fail(attachment->client, "forbidden", "who observes can't type");
    return length >= 1 && length <= DATA_MAX ? HANDLED : violation(attachment, "input is 1 to 65536 bytes");
}

static enum handled handle_input(struct attachment *attachment, const struct frame *frame)
{
    enum handled checked = check_input(attachment, frame->length);
    if (checked != HANDLED)
        return checked;
    return terminal_input(attachment->terminal, frame->payload, frame->length) ? HANDLED : HANDLED_LATER;
}

static void acknowledge_input(struct attachment *attachment)
{
    attachment->input_acked = true;
    if (!attachment->ack.at)
        timer_set(&attachment->ack, ACK_DELAY_MS);
}

static enum handled handle_input_at(struct attachment *attachment, const struct frame *frame)
{
    size_t skip, length = frame->length < 8 ? 0 : frame->length - 8;
    enum handled checked = check_input(attachment, length);
    if (checked != HANDLED)
        return checked;
    if (!attachment->sender)
        return violation(attachment, "INPUT_AT needs a CLIENT");
    enum sent sent = sender_check(attachment->sender, get_u64(frame->payload), length, &skip);
    if (sent == SENT_AHEAD)
        return client_fail(attachment->client, "bad_offset", "input before this offset is missing");
    if (sent == SENT_NEW) {
        if (!terminal_input(attachment->terminal, frame->payload + 8 + skip, length - skip))
            return HANDLED_LATER;
        attachment->sender->accepted += length - skip;
    }
    acknowledge_input(attachment);
    return HANDLED;
}

static enum handled handle_resize(struct attachment *attachment, const struct frame *frame)
{
    if (attachment->observer)
        return client_fail(attachment->client, "forbidden", "who observes can't resize");
    if (frame->length != 4)
        return violation(attachment, "RESIZE has the wrong length");
    uint16_t cols = get_u16(frame->payload), rows = get_u16(frame->payload + 2);
    if (cols == 0 || cols > SIDE_MAX || rows == 0 || rows > SIDE_MAX)
        return violation(attachment, "a terminal is 1 x 1 to 1000 x 1000");
    terminal_resize(attachment->terminal, cols, rows);
    return HANDLED;
}

static enum handled handle_ack(struct attachment *attachment, const struct frame *frame)
{
    if (frame->length != 8)
        return violation(attachment, "ACK has the wrong length");
    uint64_t offset = get_u64(frame->payload);
    if (offset > attachment->cursor)
        return violation(attachment, "ACK is beyond what was sent");
    if (offset <= attachment->acked)
        return HANDLED;
    attachment->acked = offset;
    if (attachment->keeper)
        keeping_took(&attachment->terminal->keeping, offset);
    terminal_gate(attachment->terminal);
    attachment_send(attachment);
    return HANDLED;
}

static enum handled handle_window(struct attachment *attachment, const struct frame *frame)
{
    uint32_t window = frame->length == 4 ? get_u32(frame->payload) : 0;
    if (window < WINDOW_MIN || window > WINDOW_MAX)
        return violation(attachment, "WINDOW is not 4 KiB to 16 MiB");
    attachment->window = window;
    terminal_gate(attachment->terminal);
    attachment_send(attachment);
    return HANDLED;
}

enum handled attachment_handle(struct client *client, const struct frame *frame)
{
    struct attachment *attachment = &client->attachment;
    switch (frame->type) {
    case FRAME_INPUT:
        return handle_input(attachment, frame);
    case FRAME_INPUT_AT:
        return handle_input_at(attachment, frame);
    case FRAME_RESIZE:
        return handle_resize(attachment, frame);
    case FRAME_ACK:
        return handle_ack(attachment, frame);
    case FRAME_WINDOW:
        return handle_window(attachment, frame);
    default:
        return violation(attachment, "this frame is not allowed while attached");
    }
}
