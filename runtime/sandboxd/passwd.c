#include "passwd.h"

#include <string.h>

bool text_equals(struct text text, struct text other)
{
    return text.length == other.length && (!text.length || !memcmp(text.data, other.data, text.length));
}

bool text_to_id(struct text text, uint32_t *id)
{
    uint64_t value = 0;
    if (text.length == 0 || text.length > 10)
        return false;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (text.data[i] - '0');
    }
    *id = (uint32_t)value;
    return value < UINT32_MAX;
}

/* Takes what is before the next `separator` off the front of `rest`. */
static struct text cut(struct text *rest, uint8_t separator)
{
    const uint8_t *end = rest->length ? memchr(rest->data, separator, rest->length) : NULL;
    struct text piece = {rest->data, end ? (uint32_t)(end - rest->data) : rest->length};
    uint32_t taken = piece.length + (end ? 1 : 0);
    rest->data += taken;
    rest->length -= taken;
    return piece;
}

/* name:password:uid:gid:comment:home:shell */
static bool parse_account(struct text line, struct account *account)
{
    account->name = cut(&line, ':');
    cut(&line, ':');
    bool good = text_to_id(cut(&line, ':'), &account->uid) && text_to_id(cut(&line, ':'), &account->gid);
    cut(&line, ':');
    account->home = cut(&line, ':');
    account->shell = cut(&line, ':');
    return good && account->name.length > 0;
}

bool passwd_find_name(struct text file, struct text name, struct account *account)
{
    while (file.length)
        if (parse_account(cut(&file, '\n'), account) && text_equals(account->name, name))
            return true;
    return false;
}

bool passwd_find_uid(struct text file, uint32_t uid, struct account *account)
{
    while (file.length)
        if (parse_account(cut(&file, '\n'), account) && account->uid == uid)
            return true;
    return false;
}

/* name:password:gid:member,member; leaves the members in `line`. */
static bool parse_group(struct text *line, struct text *name, uint32_t *gid)
{
    *name = cut(line, ':');
    cut(line, ':');
    return text_to_id(cut(line, ':'), gid) && name->length > 0;
}

bool group_find_name(struct text file, struct text name, uint32_t *gid)
{
    while (file.length) {
        struct text line = cut(&file, '\n'), found;
        if (parse_group(&line, &found, gid) && text_equals(found, name))
            return true;
    }
    return false;
}

static bool lists(struct text members, struct text member)
{
    while (members.length)
        if (text_equals(cut(&members, ','), member))
            return true;
    return false;
}

size_t group_find_member(struct text file, struct text member, uint32_t *gids, size_t most)
{
    size_t count = 0;
    while (file.length && count < most) {
        struct text line = cut(&file, '\n'), name;
        if (parse_group(&line, &name, &gids[count]) && lists(line, member))
            count++;
    }
    return count;
}
