#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

static struct rlimit children_files;

void spawn_raise_own_limits(void)
{
    getrlimit(RLIMIT_NOFILE, &children_files);
    struct rlimit own = {children_files.rlim_max, children_files.rlim_max};
    setrlimit(RLIMIT_NOFILE, &own);
}

void spawn_offer_to_oom_killer(const char *process)
{
    char path[64];
    stpcpy(stpcpy(stpcpy(path, "/proc/"), process), "/oom_score_adj");
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "500", 3) != 3) {
        /* already higher */
    }
    close(fd);
}

/* Before its execve a child that is not root may not write its own, since sandboxd, and so the child, is not dumpable. */
static void offer_started_to_oom_killer(pid_t pid)
{
    char digits[16], *at = digits + sizeof digits - 1;
    *at = 0;
    for (; pid; pid /= 10)
        *--at = (char)('0' + pid % 10);
    spawn_offer_to_oom_killer(at);
}

static void report_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    struct spawn *spawn = CONTAINER_OF(watch, struct spawn, report);
    uint8_t result;
    ssize_t got = read(watch->fd, &result, 1);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    watch_close(watch);
    if (got == 0 && geteuid() != 0)
        offer_started_to_oom_killer(spawn->pid);
    spawn->done(spawn, got == 1 && result <= SPAWN_FAILED ? result : SPAWN_STARTED);
}

enum spawn_result spawn_start(struct spawn *spawn, const struct plan *plan)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0)
        return SPAWN_BUSY;
    spawn->pid = fork();
    if (spawn->pid == 0)
        child_run(plan, report[1], &children_files);
    close(report[1]);
    spawn->report = (struct watch){.fd = report[0], .ready = report_ready};
    if (spawn->pid > 0) {
        watch_want(&spawn->report, EPOLLIN);
        if (spawn->report.events)
            return SPAWN_STARTED;
        kill(spawn->pid, SIGKILL);
    }
    watch_close(&spawn->report);
    return SPAWN_BUSY;
}

void spawn_cancel(struct spawn *spawn)
{
    watch_close(&spawn->report);
}

const char *spawn_code(enum spawn_result result)
{
    static const char *const codes[] = {
        [SPAWN_STARTED] = "",
        [SPAWN_NOT_FOUND] = "command_not_found",
        [SPAWN_NOT_EXECUTABLE] = "command_not_executable",
        [SPAWN_UNKNOWN_USER] = "unknown_user",
        [SPAWN_BAD_DIRECTORY] = "bad_directory",
        [SPAWN_BUSY] = "busy",
        [SPAWN_FAILED] = "command_failed",
    };
    return codes[result];
}

const char *spawn_message(enum spawn_result result)
{
    static const char *const messages[] = {
        [SPAWN_STARTED] = "",
        [SPAWN_NOT_FOUND] = "there is no such command in this machine",
        [SPAWN_NOT_EXECUTABLE] = "the command can't be executed, or its interpreter or loader is missing",
        [SPAWN_UNKNOWN_USER] = "there is no such user or group in this machine, or it may not be taken here",
        [SPAWN_BAD_DIRECTORY] = "there is no such directory in this machine, or it may not be entered",
        [SPAWN_BUSY] = "this machine has no memory, process or terminal left for it",
        [SPAWN_FAILED] = "the command could not be started",
    };
    return messages[result];
}
