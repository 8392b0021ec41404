#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dispatch.h"
#include "terminal.h"

#define LINGER_MS 2000

static struct client *clients[CLIENTS_MAX];

/* Whether frames that have arrived are for now. */
static bool handles(const struct client *client)
{
    if (client->state == CLIENT_IDLE)
        return client->pending == 0; /* one request at a time */
    return client->state == CLIENT_ATTACHED || client->state == CLIENT_COMMAND;
}

static bool reads(const struct client *client)
{
    bool has_room = client->received < sizeof client->in;
    return client->state == CLIENT_ENDING || (handles(client) && has_room);
}

static void update_interest(struct client *client)
{
    uint32_t reading = reads(client) ? EPOLLIN : 0;
    uint32_t writing = client->full ? EPOLLOUT : 0;
    watch_want(&client->watch, EPOLLRDHUP | reading | writing);
}

/* The connection is of no use any more; it is closed when nobody is in the middle of something with it. */
static void give_up(struct client *client)
{
    client->sent = client->pending = 0;
    timer_set(&client->closing, 0);
}

struct writer client_payload(struct client *client)
{
    if (client->sent) {
        memmove(client->out, client->out + client->sent, client->pending - client->sent);
        client->pending -= client->sent;
        client->sent = 0;
    }
    return (struct writer){
        .at = client->out + client->pending + FRAME_HEADER,
        .end = client->out + sizeof client->out,
    };
}

void client_put(struct client *client, enum frame_type type, const struct writer *payload)
{
    uint8_t *frame = client->out + client->pending;
    size_t length = (size_t)(payload->at - frame) - FRAME_HEADER;
    frame_header(frame, type, length);
    client->pending += FRAME_HEADER + length;
}

/* How much of the pieces the kernel took; 0 when it takes none now or ever again. */
static size_t send_pieces(struct client *client, struct iovec *pieces, int count)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (unsigned)count};
    ssize_t sent;
    do
        sent = sendmsg(client->watch.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        client->full = true;
        if (errno != EAGAIN)
            give_up(client);
        return 0;
    }
    return (size_t)sent;
}

static bool drained(struct client *client)
{
    if (client->sent < client->pending)
        return false;
    client->sent = client->pending = 0;
    return true;
}

bool client_flush(struct client *client)
{
    while (!client->full && client->sent < client->pending) {
        struct iovec piece = {client->out + client->sent, client->pending - client->sent};
        client->sent += send_pieces(client, &piece, 1);
    }
    bool done = drained(client) && !client->full;
    update_interest(client);
    return done;
}

/* Keeps what the socket left of the pieces, after the first `sent` bytes of them. */
static void keep_rest(struct client *client, const struct iovec *pieces, int count, size_t sent)
{
    for (int i = 0; i < count; i++) {
        size_t skip = sent < pieces[i].iov_len ? sent : pieces[i].iov_len;
        size_t length = pieces[i].iov_len - skip;
        memcpy(client->out + client->pending, (uint8_t *)pieces[i].iov_base + skip, length);
        client->pending += length;
        sent -= skip;
    }
}

bool client_send(struct client *client, struct iovec *pieces, int count, bool *taken)
{
    struct iovec all[4] = {{client->out + client->sent, client->pending - client->sent}};
    memcpy(all + 1, pieces, (size_t)count * sizeof *pieces);
    size_t sent = send_pieces(client, all, count + 1);
    size_t before = all[0].iov_len;
    *taken = sent > before;
    if (sent <= before) {
        client->sent += sent;
        drained(client);
    } else {
        client->sent = client->pending = 0;
        keep_rest(client, pieces, count, sent - before);
    }
    if (client->pending)
        client->full = true;
    update_interest(client);
    return !client->full;
}

/* Where that client is kept; with NULL a free place. NULL when there is none. */
static struct client **place_of(const struct client *client)
{
    for (struct client **place = clients; place < clients + CLIENTS_MAX; place++)
        if (*place == client)
            return place;
    return NULL;
}

bool clients_are_done(void)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        const struct client *client = clients[i];
        if (client && (client->pending || client->state == CLIENT_ATTACHED || client->state == CLIENT_COMMAND))
            return false;
    }
    return true;
}

bool clients_reaped(pid_t pid, int status)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        if (clients[i] && command_reaped(clients[i], pid, status))
            return true;
    return false;
}

static void leave(struct client *client)
{
    if (client->state == CLIENT_ATTACHED)
        attachment_end(&client->attachment);
    if (client->state == CLIENT_COMMAND || client->state == CLIENT_EXECUTING)
        command_end(client);
    if (client->state == CLIENT_OPENING)
        client->opening->opener = NULL;
}

void client_close(struct client *client)
{
    if (client->state == CLIENT_CLOSED)
        return;
    leave(client);
    client->state = CLIENT_CLOSED;
    timer_stop(&client->closing);
    watch_close(&client->watch);
    *place_of(client) = NULL;
    pages_free(client, sizeof *client);
}

static void closing_due(struct timer *timer)
{
    client_close(CONTAINER_OF(timer, struct client, closing));
}

void client_end(struct client *client)
{
    if (client->state != CLIENT_ENDING)
        leave(client);
    client->state = CLIENT_ENDING;
    if (client_flush(client) && !client->closing.at) {
        shutdown(client->watch.fd, SHUT_WR);
        timer_set(&client->closing, LINGER_MS);
    }
}

static void put_error(struct client *client, const char *code, const char *message)
{
    struct writer payload = client_payload(client);
    write_text(&payload, TAG_CODE, code);
    write_text(&payload, TAG_MESSAGE, message);
    client_put(client, FRAME_ERROR, &payload);
}

enum handled client_refuse(struct client *client, const char *code, const char *message)
{
    put_error(client, code, message);
    client_flush(client);
    return HANDLED;
}

enum handled client_fail(struct client *client, const char *code, const char *message)
{
    put_error(client, code, message);
    client_end(client);
    return HANDLED_ENDED;
}

void client_opened(struct client *client, enum spawn_result result, pid_t pid)
{
    bool executes = client->state == CLIENT_EXECUTING;
    if (result != SPAWN_STARTED) {
        if (executes)
            command_end(client);
        client->state = CLIENT_IDLE;
        client_refuse(client, spawn_code(result), spawn_message(result));
    } else {
        struct writer payload = client_payload(client);
        write_u32(&payload, TAG_PID, (uint32_t)pid);
        client_put(client, FRAME_OK, &payload);
        client->state = executes ? CLIENT_COMMAND : CLIENT_IDLE;
        client_flush(client);
    }
    client_continue(client);
}

static enum handled handle(struct client *client, const struct frame *frame)
{
    if (client->state == CLIENT_ATTACHED)
        return attachment_handle(client, frame);
    if (client->state == CLIENT_COMMAND)
        return command_handle(client, frame);
    return dispatch(client, frame);
}

bool client_is_stuck(const struct client *client)
{
    return client->held && client->received == sizeof client->in;
}

/* Acknowledgements, sizes and signals do not wait behind input for which there is no room. */
static bool may_overtake(enum frame_type type)
{
    return type != FRAME_INPUT && type != FRAME_INPUT_AT && type != FRAME_STDIN;
}

static void remove_bytes(struct client *client, size_t from, size_t length)
{
    client->received -= length;
    memmove(client->in + from, client->in + from + length, client->received - from);
}

/* The frame that begins at `at` is complete. Returns where the next begins. */
static size_t handle_or_hold(struct client *client, const struct frame *frame, size_t at)
{
    size_t size = FRAME_HEADER + frame->length;
    if (client->held && !may_overtake(frame->type))
        return client->held = at + size;
    if (handle(client, frame) == HANDLED_LATER) {
        remove_bytes(client, 0, at);
        return client->held = size;
    }
    if (!client->held)
        return at + size;
    remove_bytes(client, at, size);
    return at;
}

static void handle_frames(struct client *client)
{
    size_t at = client->held;
    struct frame frame;
    while (handles(client)) {
        enum frame_state state = frame_next(client->in + at, client->received - at, &frame);
        if (state == FRAME_INVALID)
            client_fail(client, "protocol", "a frame is 1 to 65601 bytes long");
        if (state != FRAME_COMPLETE)
            break;
        at = handle_or_hold(client, &frame, at);
    }
    if (client->state == CLIENT_CLOSED)
        return;
    if (client->state == CLIENT_ENDING)
        client->received = client->held = 0;
    else if (!client->held)
        remove_bytes(client, 0, at);
    update_interest(client);
}

void client_continue(struct client *client)
{
    client->held = 0;
    handle_frames(client);
}

static void receive(struct client *client)
{
    ssize_t got = recv(client->watch.fd, client->in + client->received, sizeof client->in - client->received, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        client_close(client);
        return;
    }
    client->received += (size_t)got;
    handle_frames(client);
    if (!client_is_stuck(client))
        return;
    if (client->state == CLIENT_ATTACHED)
        terminal_gate(client->attachment.terminal);
    if (client->state == CLIENT_COMMAND)
        command_resume(client);
}

static void resume(struct client *client)
{
    client->full = false;
    switch (client->state) {
    case CLIENT_ATTACHED:
        attachment_send(&client->attachment);
        break;
    case CLIENT_COMMAND:
        command_resume(client);
        break;
    case CLIENT_ENDING:
        client_end(client);
        break;
    default:
        if (client_flush(client))
            client_continue(client);
    }
}

static void ready(struct watch *watch, uint32_t events)
{
    struct client *client = CONTAINER_OF(watch, struct client, watch);
    if (events & EPOLLOUT)
        resume(client);
    if (watch->fd < 0 || !(events & ~(uint32_t)EPOLLOUT))
        return;
    if (reads(client))
        receive(client);
    else if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR))
        client_close(client);
}

static void turn_away(int fd)
{
    static const char message[] = "this machine can't have more connections";
    uint8_t frame[FRAME_HEADER + 64 + sizeof message];
    struct writer payload = {.at = frame + FRAME_HEADER, .end = frame + sizeof frame};
    write_text(&payload, TAG_CODE, "busy");
    write_text(&payload, TAG_MESSAGE, message);
    frame_header(frame, FRAME_ERROR, (size_t)(payload.at - frame) - FRAME_HEADER);
    if (send(fd, frame, (size_t)(payload.at - frame), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        /* it learns by the end of the connection */
    }
    close(fd);
}

void client_accept(int fd)
{
    struct client **place = place_of(NULL);
    struct client *client = place ? pages_get(sizeof *client) : NULL;
    if (!client) {
        turn_away(fd);
        return;
    }
    *place = client;
    client->watch = (struct watch){.fd = fd, .ready = ready};
    client->closing.fire = closing_due;
    client->state = CLIENT_IDLE;
    put_hello(client);
    client_flush(client);
    if (!client->watch.events)
        client_close(client);
}
