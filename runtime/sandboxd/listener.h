/* The socket on which the host's connections come in. */
#ifndef SANDBOXD_LISTENER_H
#define SANDBOXD_LISTENER_H

/* Accepts on a listening socket from now on. Returns 0, or -1 when the kernel refuses. */
int listener_open(int fd);

/* A socket bound to the path, mode 0600, in place of what a former run left there; -1 when it can't be. */
int listener_bind(const char *path);

/* Connects to the path; -1 when nobody listens there. */
int socket_connect(const char *path);

#endif
