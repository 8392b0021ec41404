#include "listener.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

#define ACCEPTED_PER_TURN 16
#define PAUSE_MS 100

static struct watch listener;
static struct timer pause_timer;

static void go_on(struct timer *timer)
{
    (void)timer;
    watch_want(&listener, EPOLLIN);
}

/* Out of descriptors or memory: the connection waits in the kernel, and this loop must not spin on it. */
static void take_a_break(void)
{
    watch_want(&listener, 0);
    timer_set(&pause_timer, PAUSE_MS);
}

static void ready(struct watch *watch, uint32_t events)
{
    (void)events;
    for (int i = 0; i < ACCEPTED_PER_TURN; i++) {
        int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            client_accept(fd);
        } else {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                take_a_break();
            return;
        }
    }
}

int listener_open(int fd)
{
    listener = (struct watch){.fd = fd, .ready = ready};
    pause_timer.fire = go_on;
    watch_want(&listener, EPOLLIN);
    return listener.events ? 0 : -1;
}

static bool set_address(struct sockaddr_un *address, const char *path)
{
    if (strlen(path) >= sizeof address->sun_path)
        return false;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path);
    return true;
}

static int give_up(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int listener_bind(const char *path)
{
    struct sockaddr_un address;
    struct stat status;
    if (!set_address(&address, path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    int bound = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof address);
    umask(mask);
    return bound == 0 && listen(fd, SOMAXCONN) == 0 ? fd : give_up(fd);
}

int socket_connect(const char *path)
{
    struct sockaddr_un address;
    if (!set_address(&address, path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : give_up(fd);
}
