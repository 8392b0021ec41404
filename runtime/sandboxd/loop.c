#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_TURN 64
#define FREED_PER_TURN 512

static struct {
    int epoll;
    bool ended;
    int status;
    int64_t now;
    struct timer *timers;
    struct {
        void *pages;
        size_t size;
    } freed[FREED_PER_TURN];
    unsigned freed_count;
} loop;

static int64_t read_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int loop_open(void)
{
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    loop.now = read_clock();
    return loop.epoll < 0 ? -1 : 0;
}

int64_t loop_now(void)
{
    return loop.now;
}

void loop_end(int status)
{
    loop.ended = true;
    loop.status = status;
}

void watch_want(struct watch *watch, uint32_t events)
{
    if (watch->fd < 0 || watch->events == events)
        return;
    int operation = !events ? EPOLL_CTL_DEL : watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    struct epoll_event event = {.events = events, .data.ptr = watch};
    watch->events = epoll_ctl(loop.epoll, operation, watch->fd, &event) == 0 ? events : 0;
}

void watch_close(struct watch *watch)
{
    if (watch->fd < 0)
        return;
    watch_want(watch, 0);
    close(watch->fd);
    watch->fd = -1;
}

void timer_set(struct timer *timer, int64_t milliseconds_from_now)
{
    timer_stop(timer);
    timer->at = loop.now + milliseconds_from_now;
    timer->next = loop.timers;
    loop.timers = timer;
}

void timer_stop(struct timer *timer)
{
    if (!timer->at)
        return;
    struct timer **link = &loop.timers;
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
    timer->at = 0;
}

static struct timer *earliest_timer(void)
{
    struct timer *found = loop.timers;
    for (struct timer *timer = found; timer; timer = timer->next)
        if (timer->at < found->at)
            found = timer;
    return found;
}

static int milliseconds_to_wait(void)
{
    struct timer *timer = earliest_timer();
    if (!timer)
        return -1;
    int64_t wait = timer->at - loop.now;
    return wait < 0 ? 0 : wait > INT_MAX ? INT_MAX : (int)wait;
}

static void fire_timers(void)
{
    for (struct timer *timer; (timer = earliest_timer()) && timer->at <= loop.now;) {
        timer_stop(timer);
        timer->fire(timer);
    }
}

void *pages_get(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void pages_free(void *pages, size_t size)
{
    if (loop.freed_count == FREED_PER_TURN)
        return; /* more than can exist at once, so this is never reached */
    loop.freed[loop.freed_count].pages = pages;
    loop.freed[loop.freed_count++].size = size;
}

static void give_back_pages(void)
{
    while (loop.freed_count) {
        loop.freed_count--;
        munmap(loop.freed[loop.freed_count].pages, loop.freed[loop.freed_count].size);
    }
}

static void dispatch(const struct epoll_event *events, int count)
{
    for (int i = 0; i < count && !loop.ended; i++) {
        struct watch *watch = events[i].data.ptr;
        if (watch->fd >= 0 && watch->events)
            watch->ready(watch, events[i].events);
    }
}

int loop_run(void)
{
    struct epoll_event events[EVENTS_PER_TURN];
    while (!loop.ended) {
        int count = epoll_wait(loop.epoll, events, EVENTS_PER_TURN, milliseconds_to_wait());
        loop.now = read_clock();
        dispatch(events, count < 0 && errno == EINTR ? 0 : count);
        fire_timers();
        give_back_pages();
    }
    return loop.status;
}
