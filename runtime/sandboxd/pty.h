/* Pseudoterminals, by ioctl alone: no path but /dev/ptmx is needed. */
#ifndef SANDBOXD_PTY_H
#define SANDBOXD_PTY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pty {
    int master, slave; /* close-on-exec; the master does not block */
};

/* False when this machine has no PTY (left); then nothing is open. */
bool pty_open(struct pty *pty, uint16_t cols, uint16_t rows);

/* Tells the foreground process group by SIGWINCH when it really changes. */
void pty_resize(int master, uint16_t cols, uint16_t rows);

/* The foreground process group; -1 when there is none. */
pid_t pty_foreground(int master);

#endif
