#include "dispatch.h"

#include <sys/utsname.h>
#include <unistd.h>

#include "machine.h"
#include "terminal.h"

#define PROTOCOL_VERSION 1

enum hello_flag { HELLO_STARTED = 1 };

void put_hello(struct client *client)
{
    struct utsname names;
    struct writer payload = client_payload(client);
    write_u32(&payload, TAG_VERSION, PROTOCOL_VERSION);
    write_text(&payload, TAG_HOSTNAME, uname(&names) == 0 ? names.nodename : "");
    write_u32(&payload, TAG_PID, (uint32_t)getpid());
    write_u32(&payload, TAG_FLAGS, machine_started() ? HELLO_STARTED : 0);
    client_put(client, FRAME_HELLO, &payload);
}

static enum handled done(struct client *client)
{
    struct writer payload = client_payload(client);
    client_put(client, FRAME_OK, &payload);
    client_flush(client);
    return HANDLED;
}

static enum handled no_clock(struct client *client)
{
    return client_refuse(client, "busy", "the deadline can't be kept");
}

static enum handled start(struct client *client, const struct request *request)
{
    if (machine_started())
        return client_refuse(client, "already_started", "START was received before");
    if (!machine_start(request->seconds))
        return no_clock(client);
    if (request_has(request, TAG_RING))
        terminals_use_ring(request->ring);
    return done(client);
}

static enum handled open_terminal(struct client *client, const struct request *request)
{
    const char *message, *code = terminal_open(request, client, &message);
    if (code)
        return client_refuse(client, code, message);
    client->state = CLIENT_OPENING;
    client->opening = terminal_find(request->id);
    return HANDLED;
}

static enum handled list(struct client *client)
{
    struct writer payload = client_payload(client);
    terminals_list(&payload);
    client_put(client, FRAME_OK, &payload);
    client_flush(client);
    return HANDLED;
}

/* One whose process is there: what is still being opened nobody finds. */
static struct terminal *find_open(const struct request *request)
{
    struct terminal *terminal = terminal_find(request->id);
    return terminal && terminal->state != TERMINAL_STARTING ? terminal : NULL;
}

static enum handled unknown(struct client *client)
{
    return client_refuse(client, "terminal_unknown", "there is no terminal of that id");
}

static enum handled close_terminal(struct client *client, const struct request *request)
{
    struct terminal *terminal = find_open(request);
    if (!terminal)
        return unknown(client);
    terminal_close(terminal);
    return done(client);
}

static enum handled signal_terminal(struct client *client, const struct request *request)
{
    struct terminal *terminal = find_open(request);
    if (!terminal)
        return unknown(client);
    if (terminal->state == TERMINAL_EXITED)
        return client_refuse(client, "exited", "the process of this terminal has ended");
    terminal_signal(terminal, (int)request->signal);
    return done(client);
}

static enum handled perform(struct client *client, const struct request *request)
{
    switch (request->type) {
    case FRAME_START:
        return start(client, request);
    case FRAME_OPEN:
        return open_terminal(client, request);
    case FRAME_ATTACH:
        return attachment_begin(client, request);
    case FRAME_CLOSE:
        return close_terminal(client, request);
    case FRAME_LIST:
        return list(client);
    case FRAME_EXEC:
        return command_begin(client, request);
    case FRAME_SIGNAL:
        return signal_terminal(client, request);
    default:
        return machine_set_deadline(request->seconds) ? done(client) : no_clock(client);
    }
}

enum handled dispatch(struct client *client, const struct frame *frame)
{
    struct request request;
    const char *wrong = request_parse(frame, &request);
    if (wrong)
        return client_fail(client, "protocol", wrong);
    if (!machine_started() && request.type != FRAME_START)
        return client_refuse(client, "not_started", "START comes first");
    return perform(client, &request);
}
