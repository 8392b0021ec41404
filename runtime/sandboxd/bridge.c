#include "bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "listener.h"
#include "machine.h"

#define BUFFER_SIZE 65536
#define TRIES 500
#define TRY_EVERY_NS 10000000

struct direction {
    int from, to;
    size_t start, end; /* what was read and not yet written */
    uint8_t buffer[BUFFER_SIZE];
};

/* Brought here from outside (its parent is not in this PID namespace), it must not be answered by a guest who took the
 * socket's place: only PID 1 is sandboxd. */
static bool is_genuine(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getppid() != 0)
        return true;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid == 1;
}

/* The bridge may be there before sandboxd is. */
static int connect_patiently(const char *path)
{
    struct timespec pause = {.tv_nsec = TRY_EVERY_NS};
    int fd = socket_connect(path);
    for (int i = 0; i < TRIES && fd < 0 && (errno == ENOENT || errno == ECONNREFUSED); i++) {
        nanosleep(&pause, NULL);
        fd = socket_connect(path);
    }
    if (fd >= 0 && !is_genuine(fd)) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool is_temporary(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

/* False when this direction is over. */
static bool move_bytes(struct direction *direction)
{
    if (direction->start == direction->end) {
        ssize_t got = read(direction->from, direction->buffer, BUFFER_SIZE);
        if (got <= 0)
            return is_temporary(got);
        direction->start = 0;
        direction->end = (size_t)got;
    }
    ssize_t written = write(direction->to, direction->buffer + direction->start, direction->end - direction->start);
    if (written > 0)
        direction->start += (size_t)written;
    return written > 0 || is_temporary(written);
}

static struct pollfd what_to_wait_for(const struct direction *direction)
{
    bool full = direction->start < direction->end;
    return (struct pollfd){full ? direction->to : direction->from, full ? POLLOUT : POLLIN, 0};
}

int bridge(const char *path)
{
    static struct direction in, out;
    int fd = connect_patiently(path);
    if (fd < 0)
        return EXIT_UNUSABLE;
    signal(SIGPIPE, SIG_IGN);
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    in = (struct direction){.from = 0, .to = fd};
    out = (struct direction){.from = fd, .to = 1};
    for (bool open = true; open;) {
        struct pollfd waits[] = {what_to_wait_for(&in), what_to_wait_for(&out)};
        if (poll(waits, 2, -1) < 0 && errno != EINTR)
            break;
        if (waits[0].revents)
            open = move_bytes(&in);
        if (open && waits[1].revents)
            open = move_bytes(&out);
    }
    return 0;
}
