#include "senders.h"

static struct sender *find(struct senders *senders, uint64_t client)
{
    struct sender *oldest = NULL;
    for (struct sender *sender = senders->list; sender < senders->list + SENDERS_MAX; sender++) {
        if (sender->client == client)
            return sender;
        if (!sender->attached && (!oldest || sender->used < oldest->used))
            oldest = sender;
    }
    if (oldest)
        *oldest = (struct sender){.client = client};
    return oldest;
}

struct sender *sender_attach(struct senders *senders, uint64_t client)
{
    struct sender *sender = find(senders, client);
    if (sender) {
        sender->attached++;
        sender->used = ++senders->attaches;
    }
    return sender;
}

void sender_detach(struct sender *sender)
{
    sender->attached--;
}

enum sent sender_check(const struct sender *sender, uint64_t offset, size_t length, size_t *skip)
{
    *skip = 0;
    if (offset > sender->accepted)
        return SENT_AHEAD;
    uint64_t known = sender->accepted - offset;
    if (known >= length)
        return SENT_BEFORE;
    *skip = (size_t)known;
    return SENT_NEW;
}
