#include "identity.h"

#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"

#define FILE_MOST (1u << 20)

/* The guest may have put anything in the file's place: a FIFO must not hang, a device must not be read. */
static struct text read_file(const char *path)
{
    struct text file = {NULL, 0};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    uint8_t *pages = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? pages_get(FILE_MOST) : NULL;
    if (pages) {
        file.data = pages;
        ssize_t got;
        while (file.length < FILE_MOST && (got = read(fd, pages + file.length, FILE_MOST - file.length)) > 0)
            file.length += (uint32_t)got;
    }
    if (fd >= 0)
        close(fd);
    return file;
}

static struct text before_colon(struct text text, struct text *after)
{
    const uint8_t *colon = text.length ? memchr(text.data, ':', text.length) : NULL;
    if (!colon) {
        *after = (struct text){NULL, 0};
        return text;
    }
    uint32_t length = (uint32_t)(colon - text.data);
    *after = (struct text){colon + 1, text.length - length - 1};
    return (struct text){text.data, length};
}

static bool find_account(struct text name, struct identity *identity)
{
    struct text file = read_file("/etc/passwd");
    uint32_t uid;
    if (!text_to_id(name, &uid))
        return identity->known = passwd_find_name(file, name, &identity->account);
    identity->known = passwd_find_uid(file, uid, &identity->account);
    if (!identity->known)
        identity->account = (struct account){.uid = uid, .gid = 0};
    return true;
}

static bool find_own(struct identity *identity)
{
    identity->known = passwd_find_uid(read_file("/etc/passwd"), geteuid(), &identity->account);
    identity->account.uid = geteuid();
    identity->account.gid = getegid();
    return true;
}

bool identity_find(struct text user, struct identity *identity)
{
    memset(identity, 0, sizeof *identity);
    if (user.length == 0)
        return find_own(identity);
    struct text group, name = before_colon(user, &group);
    if (!find_account(name, identity))
        return false;
    struct text groups = read_file("/etc/group");
    uint32_t *gid = &identity->account.gid;
    if (group.data && !text_to_id(group, gid) && !group_find_name(groups, group, gid))
        return false;
    identity->groups[identity->group_count++] = *gid;
    if (identity->known && !group.data)
        identity->group_count +=
            group_find_member(groups, identity->account.name, identity->groups + 1, GROUPS_MAX - 1);
    bool own_uid = identity->account.uid == geteuid();
    identity->other = !own_uid || (group.data && *gid != getegid());
    return true;
}

bool identity_take(const struct identity *identity)
{
    if (!identity->other)
        return true;
    for (int fd = 0; fd <= 2; fd++)
        if (fchown(fd, identity->account.uid, (gid_t)-1) != 0)
            continue; /* it can be used, only /dev/stdout can't be opened anew */
    return setgroups(identity->group_count, identity->groups) == 0 && setgid(identity->account.gid) == 0 &&
           setuid(identity->account.uid) == 0;
}
