#include "reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "machine.h"
#include "terminal.h"

#define REAPED_PER_TURN 128
#define AGAIN_MS 1

static struct watch signals;
static struct timer again;

/* A guest can end processes, and send signals, faster than they are counted here: the loop must turn in between. */
static void reap(void)
{
    int status;
    for (int i = 0; i < REAPED_PER_TURN; i++) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return;
        if (!terminal_reaped(pid, status))
            clients_reaped(pid, status);
    }
    timer_set(&again, AGAIN_MS);
}

static void reap_again(struct timer *timer)
{
    (void)timer;
    reap();
}

static void signals_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    struct signalfd_siginfo signal;
    if (read(watch->fd, &signal, sizeof signal) == sizeof signal && signal.ssi_signo != SIGCHLD)
        machine_stop((int)signal.ssi_signo);
    reap();
}

int reaper_open(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGCHLD);
    sigaddset(&handled, SIGTERM);
    sigaddset(&handled, SIGINT);
    if (sigprocmask(SIG_SETMASK, &handled, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0)
        return -1;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    again.fire = reap_again;
    signals = (struct watch){
        .fd = signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC),
        .ready = signals_ready,
    };
    watch_want(&signals, EPOLLIN);
    return signals.events ? 0 : -1;
}

/* The kernel lists our children, one number after the other. */
static void signal_children(int signal)
{
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    char text[4096];
    pid_t pid = 0;
    for (ssize_t got; fd >= 0 && (got = read(fd, text, sizeof text)) > 0;) {
        for (ssize_t i = 0; i < got; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
            } else if (pid) {
                kill(pid, signal);
                pid = 0;
            }
        }
    }
    if (fd >= 0)
        close(fd);
}

void reaper_signal_all(int signal)
{
    if (getpid() == 1)
        kill(-1, signal);
    else
        signal_children(signal);
}

bool reaper_is_alone(void)
{
    return waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}
