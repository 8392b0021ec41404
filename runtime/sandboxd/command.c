#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bytes.h"
#include "client.h"
#include "terminal.h"

enum exit_flag { EXIT_STDOUT_TRUNCATED = 1, EXIT_STDERR_TRUNCATED = 2, EXIT_TIMED_OUT = 4 };

static struct client *client_of(struct command *command)
{
    return CONTAINER_OF(command, struct client, command);
}

static void put_exit(struct client *client)
{
    const struct command *command = &client->command;
    uint32_t flags = (command->output.truncated ? EXIT_STDOUT_TRUNCATED : 0) |
                     (command->error.truncated ? EXIT_STDERR_TRUNCATED : 0) |
                     (command->timed_out ? EXIT_TIMED_OUT : 0);
    struct writer payload = client_payload(client);
    write_u32(&payload, TAG_EXIT_CODE, (uint32_t)status_exit_code(command->status));
    write_u32(&payload, TAG_SIGNAL, status_signal(command->status));
    write_u64(&payload, TAG_MILLISECONDS, (uint64_t)(command->ended - command->started));
    write_u32(&payload, TAG_FLAGS, flags);
    client_put(client, FRAME_EXIT, &payload);
}

static bool is_over(const struct command *command)
{
    return command->reaped && command->output.ended && command->error.ended;
}

/* To the whole group. A command of our own is asked, so that it can take its temporary file away: it never refuses. */
static void signal_group(const struct command *command, int signal)
{
    if (command->reaped)
        return;
    if (kill(-command->spawn.pid, signal) != 0)
        kill(command->spawn.pid, signal); /* it does not lead its group yet */
}

static void kill_group(const struct command *command)
{
    signal_group(command, command->self ? SIGTERM : SIGKILL);
    if (command->self)
        signal_group(command, SIGCONT);
}

static uint64_t room_of(const struct command *command)
{
    const struct client *client = CONTAINER_OF(command, struct client, command);
    if (!command->acknowledged || client_is_stuck(client))
        return DATA_MAX;
    uint64_t used = command->sent - command->acked;
    return used < COMMAND_WINDOW ? COMMAND_WINDOW - used : 0;
}

static void end_outlet(struct client *client, struct outlet *outlet)
{
    outlet->ended = true;
    watch_close(&outlet->watch);
    struct writer payload = client_payload(client);
    client_put(client, outlet->type, &payload);
    client_flush(client);
}

/* Sends what was read behind the header in `out`, or as much of it as LIMIT allows. */
static void pass_on(struct client *client, struct outlet *outlet, struct writer payload, size_t length)
{
    size_t sent = length < outlet->left ? length : (size_t)outlet->left;
    outlet->truncated |= sent < length;
    outlet->left -= sent;
    outlet->last -= length;
    if (sent == 0)
        return;
    client->command.sent += sent;
    payload.at += sent;
    client_put(client, outlet->type, &payload);
    client_flush(client);
}

static void finish_if_over(struct client *client)
{
    if (!is_over(&client->command) || !client_flush(client))
        return;
    put_exit(client);
    client_end(client);
}

static size_t most_to_read(const struct command *command, const struct outlet *outlet)
{
    uint64_t most = DATA_MAX;
    if (outlet->left && room_of(command) < most)
        most = room_of(command);
    return outlet->last < most ? (size_t)outlet->last : (size_t)most;
}

/* One read, one frame. The pipe is the only queue: nothing is read while the socket has not taken what was read before. */
static void pump(struct client *client, struct outlet *outlet)
{
    size_t most = most_to_read(&client->command, outlet);
    if (client->state != CLIENT_COMMAND || !client_flush(client) || (!most && outlet->last)) {
        watch_want(&outlet->watch, 0);
        return;
    }
    struct writer payload = client_payload(client);
    ssize_t got = most ? read(outlet->watch.fd, payload.at, most) : 0;
    if (got > 0)
        pass_on(client, outlet, payload, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        outlet->last = 0;
    if (outlet->last == 0)
        end_outlet(client, outlet);
    finish_if_over(client);
}

static void output_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    struct command *command = CONTAINER_OF(watch, struct command, output.watch);
    pump(client_of(command), &command->output);
}

static void error_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    struct command *command = CONTAINER_OF(watch, struct command, error.watch);
    pump(client_of(command), &command->error);
}

static void write_input(struct client *client)
{
    struct command *command = &client->command;
    bool open = queue_write(&command->queue, command->input.fd);
    if (!open || (command->input_ends && !command->queue.used))
        watch_close(&command->input);
    watch_want(&command->input, command->queue.used ? EPOLLOUT : 0);
}

static void input_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    struct client *client = client_of(CONTAINER_OF(watch, struct command, input));
    write_input(client);
    if (client->held)
        client_continue(client);
}

void command_resume(struct client *client)
{
    struct command *command = &client->command;
    if (!client_flush(client))
        return;
    struct outlet *outlets[] = {&command->output, &command->error};
    for (int i = 0; i < 2; i++) {
        if (outlets[i]->last == 0 && !outlets[i]->ended)
            end_outlet(client, outlets[i]);
        watch_want(&outlets[i]->watch, EPOLLIN);
    }
    finish_if_over(client);
}

static void timeout_due(struct timer *timer)
{
    struct command *command = CONTAINER_OF(timer, struct command, timeout);
    command->timed_out = true;
    kill_group(command);
}

/* Only what is in the pipe now is still sent, however much a process in the background adds to it. */
static void stop_waiting(struct client *client, struct outlet *outlet)
{
    int waiting = 0;
    if (outlet->ended)
        return;
    ioctl(outlet->watch.fd, FIONREAD, &waiting);
    outlet->last = waiting > 0 ? (uint64_t)waiting : 0;
    pump(client, outlet);
}

static void grace_due(struct timer *timer)
{
    struct client *client = client_of(CONTAINER_OF(timer, struct command, grace));
    stop_waiting(client, &client->command.output);
    if (client->state == CLIENT_COMMAND)
        stop_waiting(client, &client->command.error);
}

static void spawned(struct spawn *spawn, enum spawn_result result)
{
    struct client *client = client_of(CONTAINER_OF(spawn, struct command, spawn));
    client_opened(client, result, spawn->pid);
    if (client->state == CLIENT_COMMAND)
        command_resume(client);
}

struct pipes {
    int input[2], output[2], error[2];
};

static void close_pair(const int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

static bool open_pipes(struct pipes *pipes)
{
    *pipes = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(pipes->input, O_CLOEXEC) == 0 && pipe2(pipes->output, O_CLOEXEC) == 0 &&
        pipe2(pipes->error, O_CLOEXEC) == 0)
        return true;
    close_pair(pipes->input);
    close_pair(pipes->output);
    close_pair(pipes->error);
    return false;
}

static struct watch watch_pipe(int fd, void (*ready)(struct watch *, uint32_t))
{
    fcntl(fd, F_SETFL, O_NONBLOCK); /* of our end alone: the command gets pipes that block */
    return (struct watch){.fd = fd, .ready = ready};
}

static enum spawn_result start(struct command *command, const struct request *request)
{
    struct pipes pipes;
    if (!open_pipes(&pipes))
        return SPAWN_BUSY;
    struct plan plan = {
        .command = &request->command,
        .input = pipes.input[0],
        .output = pipes.output[1],
        .error = pipes.error[1],
        .bare = request->flags & EXEC_BARE,
        .self = command->self,
    };
    enum spawn_result result = spawn_start(&command->spawn, &plan);
    close(pipes.input[0]);
    close(pipes.output[1]);
    close(pipes.error[1]);
    command->input = watch_pipe(pipes.input[1], input_ready);
    command->output.watch = watch_pipe(pipes.output[0], output_ready);
    command->error.watch = watch_pipe(pipes.error[0], error_ready);
    return result;
}

static void set_up(struct command *command, const struct request *request)
{
    uint64_t limit = request_has(request, TAG_LIMIT) ? request->limit : UINT64_MAX;
    memset(command, 0, offsetof(struct command, queue));
    command->queue.from = command->queue.used = 0;
    command->output = (struct outlet){.type = FRAME_STDOUT, .left = limit, .last = UINT64_MAX, .watch.fd = -1};
    command->error = (struct outlet){.type = FRAME_STDERR, .left = limit, .last = UINT64_MAX, .watch.fd = -1};
    command->input.fd = command->spawn.report.fd = -1;
    command->spawn.done = spawned;
    command->timeout.fire = timeout_due;
    command->grace.fire = grace_due;
    command->started = loop_now();
    command->acknowledged = request->flags & EXEC_ACKNOWLEDGED;
    command->self = request->flags & EXEC_SELF;
}

enum handled command_begin(struct client *client, const struct request *request)
{
    struct command *command = &client->command;
    set_up(command, request);
    enum spawn_result result = start(command, request);
    if (result != SPAWN_STARTED) {
        command->reaped = true; /* there is nothing to kill */
        command_end(client);
        return client_refuse(client, spawn_code(result), spawn_message(result));
    }
    client->state = CLIENT_EXECUTING;
    if (request->timeout_ms)
        timer_set(&command->timeout, request->timeout_ms);
    return HANDLED;
}

void command_end(struct client *client)
{
    struct command *command = &client->command;
    kill_group(command);
    spawn_cancel(&command->spawn);
    watch_close(&command->input);
    watch_close(&command->output.watch);
    watch_close(&command->error.watch);
    timer_stop(&command->timeout);
    timer_stop(&command->grace);
    command->spawn.pid = 0;
}

bool command_reaped(struct client *client, pid_t pid, int status)
{
    struct command *command = &client->command;
    bool running = client->state == CLIENT_COMMAND || client->state == CLIENT_EXECUTING;
    if (!running || command->spawn.pid != pid || command->reaped)
        return false;
    command->reaped = true;
    command->status = status;
    command->ended = loop_now();
    timer_stop(&command->timeout);
    timer_set(&command->grace, COMMAND_GRACE_MS);
    if (client->state == CLIENT_COMMAND)
        finish_if_over(client);
    return true;
}

static enum handled handle_input(struct client *client, const struct frame *frame)
{
    struct command *command = &client->command;
    if (command->input_ends)
        return client_fail(client, "protocol", "STDIN after its end");
    if (frame->length > DATA_MAX)
        return client_fail(client, "protocol", "STDIN is at most 65536 bytes");
    if (command->input.fd < 0)
        return HANDLED; /* the command has closed it */
    if (!queue_put(&command->queue, frame->payload, frame->length))
        return HANDLED_LATER;
    command->input_ends = frame->length == 0;
    write_input(client);
    return HANDLED;
}

static enum handled handle_kill(struct client *client, const struct frame *frame)
{
    uint32_t signal = frame->length == 4 ? get_u32(frame->payload) : 0;
    if (signal < 1 || signal > SIGNAL_MAX)
        return client_fail(client, "protocol", "KILL is a signal, 1 to 64");
    signal_group(&client->command, (int)signal);
    return HANDLED;
}

static enum handled handle_ack(struct client *client, const struct frame *frame)
{
    struct command *command = &client->command;
    uint64_t acked = frame->length == 8 ? get_u64(frame->payload) : UINT64_MAX;
    if (acked > command->sent)
        return client_fail(client, "protocol", "ACK is beyond what was sent");
    if (acked > command->acked)
        command->acked = acked;
    command_resume(client);
    return HANDLED;
}

enum handled command_handle(struct client *client, const struct frame *frame)
{
    switch (frame->type) {
    case FRAME_STDIN:
        return handle_input(client, frame);
    case FRAME_KILL:
        return handle_kill(client, frame);
    case FRAME_ACK:
        return handle_ack(client, frame);
    default:
        return client_fail(client, "protocol", "this frame is not allowed while a command runs");
    }
}
