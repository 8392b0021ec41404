#include "terminal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "machine.h"
#include "pty.h"

#define READ_PER_TURN (64u << 10)
#define LAST_READ (1u << 20) /* more than a PTY can hold */
#define RETRY_MS 100
#define CLOSING_MS 2000

static struct terminal *terminals;
static unsigned terminal_count;
static size_t ring_size = RING_DEFAULT;
static size_t page_size;

void terminals_use_ring(uint32_t bytes)
{
    ring_size = RING_MIN;
    while (ring_size < bytes)
        ring_size *= 2;
}

/* Whoever should have taken the output has not come in time. */
static void keep_no_longer(struct timer *timer)
{
    struct keeping *keeping = CONTAINER_OF(timer, struct keeping, timer);
    keeping->lapsed = true;
    terminal_gate(CONTAINER_OF(keeping, struct terminal, keeping));
}

static size_t own_size(void)
{
    if (!page_size)
        page_size = (size_t)sysconf(_SC_PAGESIZE);
    return (sizeof(struct terminal) + page_size - 1) & ~(page_size - 1);
}

/* The ring follows the structure in the same mapping. Children need not see it. */
static struct terminal *make(const struct request *request)
{
    struct terminal *terminal = pages_get(own_size() + ring_size);
    if (!terminal)
        return NULL;
    terminal->ring.memory = (uint8_t *)terminal + own_size();
    terminal->ring.size = ring_size;
    tail_reset(&terminal->tail);
    redraw_init(&terminal->redraw);
    madvise(terminal->ring.memory, ring_size, MADV_DONTFORK);
    memcpy(terminal->id, request->id, sizeof terminal->id);
    terminal->cols = request->cols;
    terminal->rows = request->rows;
    terminal->main = request->flags & OPEN_MAIN;
    terminal->last_input = loop_now();
    terminal->keeping.timer.fire = keep_no_longer;
    if (request->flags & OPEN_KEEP)
        keeping_begin(&terminal->keeping, 0, request->timeout_ms);
    terminal->master.fd = -1;
    terminal->spawn.report.fd = -1;
    terminal->next = terminals;
    terminals = terminal;
    terminal_count++;
    return terminal;
}

static void forget(struct terminal *terminal)
{
    struct terminal **link = &terminals;
    while (*link != terminal)
        link = &(*link)->next;
    *link = terminal->next;
    terminal_count--;
    timer_stop(&terminal->retry);
    timer_stop(&terminal->closing);
    timer_stop(&terminal->redraw.timer);
    keeping_end(&terminal->keeping);
    spawn_cancel(&terminal->spawn);
    watch_close(&terminal->master);
    pages_free(terminal, own_size() + terminal->ring.size);
}

/* As many bytes as the client that can take most may be sent; everything when nobody controls the terminal. But no more than
 * is kept. */
static uint64_t room_of(const struct terminal *terminal)
{
    uint64_t room = 0;
    bool controlled = false;
    for (struct attachment *attachment = terminal->attachments; attachment; attachment = attachment->next) {
        if (attachment->observer || client_is_stuck(attachment->client))
            continue;
        controlled = true;
        uint64_t of_this = attachment_room(attachment);
        room = of_this > room ? of_this : room;
    }
    uint64_t kept = keeping_room(&terminal->keeping, &terminal->ring);
    return controlled && room < kept ? room : kept;
}

void terminal_gate(struct terminal *terminal)
{
    bool reads = !terminal->hung_up && room_of(terminal) > 0;
    if (terminal->state != TERMINAL_EXITED)
        keeping_look(&terminal->keeping, &terminal->ring);
    watch_want(&terminal->master, (reads ? EPOLLIN : 0) | (terminal->input.used ? EPOLLOUT : 0));
}

static void tell_all(struct terminal *terminal)
{
    for (struct attachment *next, *attachment = terminal->attachments; attachment; attachment = next) {
        next = attachment->next;
        attachment_send(attachment);
    }
}

/* Where the next output goes. What is overwritten there was looked at before. */
static struct iovec make_space(struct terminal *terminal, uint64_t most)
{
    struct ring *ring = &terminal->ring;
    uint64_t turn = ring->size / 16 < READ_PER_TURN ? ring->size / 16 : READ_PER_TURN;
    struct iovec space = ring_space(ring, most < turn ? (size_t)most : (size_t)turn);
    if (ring->next + space.iov_len > ring->size)
        tail_move(&terminal->tail, ring, ring->next + space.iov_len - ring->size);
    return space;
}

/* Reads what is there into the ring, at most `most`. False when the other side is closed. */
static bool read_output(struct terminal *terminal, uint64_t most)
{
    while (most) {
        struct iovec space = make_space(terminal, most);
        ssize_t got = read(terminal->master.fd, space.iov_base, space.iov_len);
        if (got > 0) {
            ring_commit(&terminal->ring, (size_t)got);
            most -= (uint64_t)got;
        } else if (got < 0 && errno == EAGAIN) {
            return true;
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* There is room for input again. */
static void continue_clients(struct terminal *terminal)
{
    for (struct attachment *next, *attachment = terminal->attachments; attachment; attachment = next) {
        next = attachment->next;
        if (attachment->client->held)
            client_continue(attachment->client);
    }
}

/* Nobody will read what waits, nor what comes. */
static void drop_input(struct terminal *terminal)
{
    queue_drop(&terminal->input, terminal->input.used);
    continue_clients(terminal);
}

/* The process has ended and all it wrote is in the ring. */
static void finish(struct terminal *terminal)
{
    watch_close(&terminal->master);
    timer_stop(&terminal->retry);
    timer_stop(&terminal->redraw.timer);
    timer_stop(&terminal->keeping.timer);
    terminal->state = TERMINAL_EXITED;
    drop_input(terminal);
    tell_all(terminal);
    if (terminal->main)
        machine_end(status_as_shell(terminal->status));
    terminal_left(terminal);
}

static void wait_for_slave(struct terminal *terminal)
{
    terminal->hung_up = true;
    drop_input(terminal);
    watch_want(&terminal->master, 0);
    timer_set(&terminal->retry, RETRY_MS);
}

static void pump(struct terminal *terminal)
{
    uint64_t room = room_of(terminal);
    uint64_t most = room < READ_PER_TURN ? room : READ_PER_TURN;
    bool open = read_output(terminal, most);
    tell_all(terminal);
    if (!open)
        wait_for_slave(terminal);
    terminal_gate(terminal);
}

static void retry_slave(struct timer *timer)
{
    struct terminal *terminal = CONTAINER_OF(timer, struct terminal, retry);
    terminal->hung_up = false;
    pump(terminal);
}

static void master_ready(struct watch *watch, uint32_t events)
{
    struct terminal *terminal = CONTAINER_OF(watch, struct terminal, master);
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR) && terminal->input.used) {
        queue_write(&terminal->input, watch->fd);
        continue_clients(terminal);
    }
    if (watch->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        pump(terminal);
    else
        terminal_gate(terminal);
}

static void started(struct spawn *spawn, enum spawn_result result)
{
    struct terminal *terminal = CONTAINER_OF(spawn, struct terminal, spawn);
    struct client *opener = terminal->opener;
    terminal->opener = NULL;
    if (result != SPAWN_STARTED) {
        forget(terminal);
    } else {
        terminal->state = TERMINAL_RUNNING;
        if (terminal->reaped)
            terminal_reaped(spawn->pid, terminal->status);
    }
    if (opener)
        client_opened(opener, result, spawn->pid);
}

static enum spawn_result start(struct terminal *terminal, const struct request *request)
{
    struct pty pty;
    if (!pty_open(&pty, request->cols, request->rows))
        return SPAWN_BUSY;
    struct plan plan = {
        .command = &request->command,
        .input = pty.slave,
        .output = pty.slave,
        .error = pty.slave,
        .terminal = true,
        .bare = request->flags & OPEN_BARE,
    };
    terminal->master = (struct watch){.fd = pty.master, .ready = master_ready};
    terminal->spawn.done = started;
    enum spawn_result result = spawn_start(&terminal->spawn, &plan);
    close(pty.slave);
    return result;
}

static const char *refuse(const char *code, const char **message, const char *words)
{
    *message = words;
    return code;
}

static void close_further(struct timer *timer);

const char *terminal_open(const struct request *request, struct client *opener, const char **message)
{
    if (terminal_find(request->id))
        return refuse("exists", message, "there is a terminal of that id");
    if (request->flags & OPEN_MAIN && terminals_have_main())
        return refuse("exists", message, "there is a main process");
    struct terminal *terminal = terminal_count < TERMINALS_MAX ? make(request) : NULL;
    if (!terminal)
        return refuse("busy", message, "this machine can't have more terminals");
    terminal->retry.fire = retry_slave;
    terminal->closing.fire = close_further;
    terminal->opener = opener;
    enum spawn_result result = start(terminal, request);
    if (result == SPAWN_STARTED) {
        terminal_gate(terminal);
        return NULL;
    }
    forget(terminal);
    return refuse(spawn_code(result), message, spawn_message(result));
}

struct terminal *terminal_find(const char *id)
{
    for (struct terminal *terminal = terminals; terminal; terminal = terminal->next)
        if (!terminal->closed && !strcmp(terminal->id, id))
            return terminal;
    return NULL;
}

static void signal_group(pid_t group, int signal)
{
    if (group > 1)
        kill(-group, signal);
}

static void signal_groups(struct terminal *terminal, int signal)
{
    pid_t foreground = pty_foreground(terminal->master.fd);
    if (terminal->reaped)
        return;
    if (foreground != terminal->spawn.pid)
        signal_group(foreground, signal);
    signal_group(terminal->spawn.pid, signal);
}

void terminal_signal(struct terminal *terminal, int signal)
{
    pid_t foreground = pty_foreground(terminal->master.fd);
    signal_group(foreground > 0 ? foreground : terminal->spawn.pid, signal);
}

/* Two seconds after CLOSE nobody may hold the process any more, and after two more nobody the memory. The only place where
 * a terminal that was started is forgotten, so that nobody finds it gone in the middle of something. */
static void close_further(struct timer *timer)
{
    struct terminal *terminal = CONTAINER_OF(timer, struct terminal, closing);
    if (terminal->state != TERMINAL_EXITED && terminal->master.fd >= 0) {
        signal_groups(terminal, SIGKILL);
        watch_close(&terminal->master);
        drop_input(terminal);
        timer_set(timer, CLOSING_MS);
        return;
    }
    while (terminal->attachments)
        client_close(terminal->attachments->client);
    forget(terminal);
}

void terminal_close(struct terminal *terminal)
{
    terminal->closed = true;
    signal_groups(terminal, SIGHUP);
    signal_groups(terminal, SIGCONT);
    timer_set(&terminal->closing, CLOSING_MS);
    terminal_left(terminal);
}

void terminal_left(struct terminal *terminal)
{
    if (terminal->closed && !terminal->attachments && terminal->state == TERMINAL_EXITED)
        timer_set(&terminal->closing, 0);
    else
        terminal_gate(terminal);
}

void terminal_resize(struct terminal *terminal, uint16_t cols, uint16_t rows)
{
    if (terminal->cols == cols && terminal->rows == rows)
        return;
    terminal->cols = cols;
    terminal->rows = rows;
    if (terminal->master.fd >= 0)
        pty_resize(terminal->master.fd, cols, rows);
    for (struct attachment *attachment = terminal->attachments; attachment; attachment = attachment->next)
        attachment->resized = true;
    tell_all(terminal);
}

bool terminal_input(struct terminal *terminal, const uint8_t *data, size_t length)
{
    terminal->last_input = loop_now();
    if (terminal->master.fd < 0 || terminal->hung_up)
        return true; /* nobody is there to read it */
    if (!queue_put(&terminal->input, data, length))
        return false;
    queue_write(&terminal->input, terminal->master.fd);
    terminal_gate(terminal);
    return true;
}

static struct terminal *find_process(pid_t pid)
{
    for (struct terminal *terminal = terminals; terminal; terminal = terminal->next)
        if (terminal->spawn.pid == pid && terminal->state != TERMINAL_EXITED)
            return terminal;
    return NULL;
}

bool terminal_reaped(pid_t pid, int status)
{
    struct terminal *terminal = find_process(pid);
    if (!terminal)
        return false;
    terminal->reaped = true;
    terminal->status = status;
    if (terminal->state == TERMINAL_STARTING)
        return true; /* `started` comes back here */
    if (terminal->master.fd >= 0)
        read_output(terminal, LAST_READ);
    finish(terminal);
    return true;
}

void terminals_hang_up(void)
{
    for (struct terminal *terminal = terminals; terminal; terminal = terminal->next)
        if (!terminal->main)
            signal_groups(terminal, SIGHUP);
}

bool terminals_have_main(void)
{
    for (struct terminal *terminal = terminals; terminal; terminal = terminal->next)
        if (terminal->main)
            return true;
    return false;
}

bool terminals_are_kept(void)
{
    for (struct terminal *terminal = terminals; terminal; terminal = terminal->next)
        if (keeping_waits(&terminal->keeping, &terminal->ring))
            return true;
    return false;
}

int32_t status_exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

uint32_t status_signal(int status)
{
    return WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0;
}

int status_as_shell(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void describe(const struct terminal *terminal, struct writer *writer)
{
    bool exited = terminal->state == TERMINAL_EXITED;
    bool awaited = keeping_waits(&terminal->keeping, &terminal->ring);
    write_text(writer, TAG_ID, terminal->id);
    write_u32(writer, TAG_PID, (uint32_t)terminal->spawn.pid);
    write_u16(writer, TAG_COLS, terminal->cols);
    write_u16(writer, TAG_ROWS, terminal->rows);
    write_u64(writer, TAG_OFFSET, ring_oldest(&terminal->ring));
    write_u64(writer, TAG_NEXT, terminal->ring.next);
    write_u32(writer, TAG_FLAGS, (terminal->main ? 1 : 0) | (exited ? 2 : 0) | (awaited ? 4 : 0));
    write_u32(writer, TAG_EXIT_CODE, exited ? (uint32_t)status_exit_code(terminal->status) : 0);
    write_u32(writer, TAG_SIGNAL, exited ? status_signal(terminal->status) : 0);
    write_u64(writer, TAG_MILLISECONDS, (uint64_t)(loop_now() - terminal->last_input));
}

void terminals_list(struct writer *writer)
{
    uint8_t nested[512];
    for (struct terminal *terminal = terminals; terminal; terminal = terminal->next) {
        if (terminal->closed || terminal->state == TERMINAL_STARTING)
            continue;
        struct writer inner = {.at = nested, .end = nested + sizeof nested};
        describe(terminal, &inner);
        write_bytes(writer, TAG_TERMINAL, nested, (size_t)(inner.at - nested));
    }
}
