/* Carries bytes between the standard streams and sandboxd's socket. */
#ifndef SANDBOXD_BRIDGE_H
#define SANDBOXD_BRIDGE_H

/* Returns the exit status: 0 after either side has ended, 125 when nobody listens on `path` within five seconds. */
int bridge(const char *path);

#endif
