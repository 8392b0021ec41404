/* /etc/passwd and /etc/group as text: no nss, no libc. Pure: the files are the guest's, so any bytes are expected. */
#ifndef SANDBOXD_PASSWD_H
#define SANDBOXD_PASSWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fields.h"

struct account {
    struct text name, home, shell; /* pieces of the file */
    uint32_t uid, gid;
};

bool text_equals(struct text text, struct text other);
/* Decimal, at most 4294967294 (the last id means "none"). */
bool text_to_id(struct text text, uint32_t *id);

bool passwd_find_name(struct text file, struct text name, struct account *account);
bool passwd_find_uid(struct text file, uint32_t uid, struct account *account);

bool group_find_name(struct text file, struct text name, uint32_t *gid);
/* The groups that list `member`, at most `most`. */
size_t group_find_member(struct text file, struct text member, uint32_t *gids, size_t most);

#endif
