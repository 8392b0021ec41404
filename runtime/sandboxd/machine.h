/* The machine as a whole: START, the deadline, the end. */
#ifndef SANDBOXD_MACHINE_H
#define SANDBOXD_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define EXIT_DEADLINE 124
#define EXIT_UNUSABLE 125 /* wrong usage, no way to the host, or no START in time */

/* Begins to wait for START. Returns 0, or -1 when the kernel refuses. */
int machine_open(void);

bool machine_started(void);
/* False when the kernel can't keep the deadline; then nothing has changed. */
bool machine_start(uint64_t seconds);
bool machine_set_deadline(uint64_t seconds);

/* Asks every process to end, and ends the machine with 128 + signal when they have, or two seconds later. */
void machine_stop(int signal);
/* Kills every process, gives clients half a second to read what is left, and exits. The first call decides the status. */
void machine_end(int status);

#endif
