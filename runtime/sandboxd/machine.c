#include "machine.h"

#include <signal.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "client.h"
#include "reaper.h"
#include "terminal.h"

#define START_MS 30000
#define HANG_UP_MS 500
#define STOPPING_MS 2000
#define ENDING_MS 500
#define KEEPING_MS 5000 /* for whoever should still take output that is kept */
#define LOOK_MS 5

static struct {
    bool started, stopping, ending;
    int status;
    int64_t hang_up_at, give_up_at, keep_until;
    struct watch deadline;
    struct timer timer;
} machine;

static void not_started(struct timer *timer)
{
    (void)timer;
    machine_end(EXIT_UNUSABLE);
}

int machine_open(void)
{
    machine.deadline.fd = -1;
    machine.timer.fire = not_started;
    timer_set(&machine.timer, START_MS);
    return reaper_open();
}

bool machine_started(void)
{
    return machine.started;
}

static void deadline_ready(struct watch *watch, uint32_t events)
{
    (void)events;
    uint64_t times;
    if (read(watch->fd, &times, sizeof times) == sizeof times)
        machine_end(EXIT_DEADLINE);
}

/* CLOCK_BOOTTIME goes on while the host sleeps. */
bool machine_set_deadline(uint64_t seconds)
{
    struct itimerspec when = {.it_value.tv_sec = (time_t)seconds};
    if (machine.deadline.fd < 0) {
        int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        machine.deadline = (struct watch){.fd = fd, .ready = deadline_ready};
        watch_want(&machine.deadline, EPOLLIN);
    }
    return machine.deadline.events && timerfd_settime(machine.deadline.fd, 0, &when, NULL) == 0;
}

bool machine_start(uint64_t seconds)
{
    if (!machine_set_deadline(seconds))
        return false;
    machine.started = true;
    if (!machine.stopping && !machine.ending)
        timer_stop(&machine.timer);
    return true;
}

static void look_whether_over(struct timer *timer)
{
    bool late = loop_now() >= machine.give_up_at;
    bool kept = terminals_are_kept() && loop_now() < machine.keep_until;
    if (machine.ending && !kept && (late || (reaper_is_alone() && clients_are_done()))) {
        loop_end(machine.status);
        return;
    }
    timer_set(timer, LOOK_MS);
    if (machine.ending) {
        reaper_signal_all(SIGKILL); /* those adopted since, too */
    } else if (late || reaper_is_alone()) {
        machine_end(machine.status);
    } else if (machine.hang_up_at && loop_now() >= machine.hang_up_at) {
        machine.hang_up_at = 0;
        terminals_hang_up(); /* shells at a prompt ignore SIGTERM */
    }
}

static void look_until(int64_t milliseconds_from_now)
{
    machine.give_up_at = loop_now() + milliseconds_from_now;
    machine.timer.fire = look_whether_over;
    timer_set(&machine.timer, LOOK_MS);
}

void machine_stop(int signal)
{
    if (machine.stopping || machine.ending)
        return;
    machine.stopping = true;
    machine.status = 128 + signal;
    machine.hang_up_at = loop_now() + HANG_UP_MS;
    reaper_signal_all(SIGTERM);
    reaper_signal_all(SIGCONT);
    look_until(STOPPING_MS);
}

void machine_end(int status)
{
    if (machine.ending)
        return;
    machine.ending = true;
    machine.status = status;
    reaper_signal_all(SIGKILL);
    machine.keep_until = loop_now() + KEEPING_MS;
    look_until(ENDING_MS);
}
