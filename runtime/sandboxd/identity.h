/* Who a command runs as. Only ever used in a child after fork. */
#ifndef SANDBOXD_IDENTITY_H
#define SANDBOXD_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

#include "passwd.h"

#define GROUPS_MAX 64

struct identity {
    bool other; /* not sandboxd's own */
    bool known; /* `account` is in /etc/passwd */
    struct account account;
    gid_t groups[GROUPS_MAX];
    size_t group_count;
};

/* `user` is a name, uid, `uid:gid` or `name:group`; empty: sandboxd's own. False when there is nobody of that name.
 * Like Docker, a uid without an entry gets group 0. */
bool identity_find(struct text user, struct identity *identity);

/* Becomes it, for good. False when the kernel refuses. */
bool identity_take(const struct identity *identity);

#endif
