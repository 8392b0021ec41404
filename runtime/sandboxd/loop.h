/* The event loop: file descriptors, timers, and memory that lives until the end of a turn. One thread, one loop. */
#ifndef SANDBOXD_LOOP_H
#define SANDBOXD_LOOP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

struct watch {
    int fd; /* -1: none */
    uint32_t events; /* asked of epoll now; 0: not registered, so a hang-up is not reported either */
    void (*ready)(struct watch *watch, uint32_t events);
};

struct timer {
    int64_t at; /* milliseconds of loop_now; 0: not set */
    void (*fire)(struct timer *timer);
    struct timer *next;
};

/* Returns 0, or -1 when the kernel refuses to make an epoll descriptor. */
int loop_open(void);

/* Runs until loop_end; returns its status. */
int loop_run(void);
void loop_end(int status);

/* Milliseconds on CLOCK_MONOTONIC, as of the start of this turn. */
int64_t loop_now(void);

/* Changes what is asked for; with 0 the descriptor leaves epoll. When the kernel refuses, nothing is asked. */
void watch_want(struct watch *watch, uint32_t events);
/* Leaves epoll and closes the descriptor. Events of this turn that are still to come for it are dropped. */
void watch_close(struct watch *watch);

void timer_set(struct timer *timer, int64_t milliseconds_from_now);
void timer_stop(struct timer *timer);

/* Zeroed pages straight from the kernel, which gives memory as it is touched and takes it back at once; NULL when refused.
 * There is no heap. */
void *pages_get(size_t size);
/* The memory stays readable until the turn ends, since events for what was in it may still come. The first words of it are
 * overwritten by nothing until then. */
void pages_free(void *pages, size_t size);

#endif
