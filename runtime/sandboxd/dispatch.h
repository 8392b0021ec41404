/* Requests on a connection that is neither attached nor running a command. */
#ifndef SANDBOXD_DISPATCH_H
#define SANDBOXD_DISPATCH_H

#include "client.h"

enum handled dispatch(struct client *client, const struct frame *frame);

/* The first frame of every connection. */
void put_hello(struct client *client);

#endif
