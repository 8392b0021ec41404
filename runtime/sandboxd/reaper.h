/* Children and signals of PID 1 (or, in tests, of a subreaper). */
#ifndef SANDBOXD_REAPER_H
#define SANDBOXD_REAPER_H

#include <stdbool.h>

/* Blocks the signals that are handled here. Returns 0, or -1 when the kernel refuses. */
int reaper_open(void);

/* Sends the signal to every process of this machine; as a plain process, to its children and those that it adopted. */
void reaper_signal_all(int signal);

/* Whether there is no process but sandboxd. */
bool reaper_is_alone(void);

#endif
