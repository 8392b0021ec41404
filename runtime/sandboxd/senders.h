/* How much input each CLIENT of a terminal has given, so that what is sent again after a reconnect is taken once. Pure. */
#ifndef SANDBOXD_SENDERS_H
#define SANDBOXD_SENDERS_H

#include <stddef.h>
#include <stdint.h>

#define SENDERS_MAX 16

struct sender {
    uint64_t client; /* 0: free */
    uint64_t accepted; /* input bytes taken from it so far */
    uint64_t used; /* when it last attached, by the count of attaches */
    unsigned attached; /* connections of it; not forgotten while there are any */
};

struct senders {
    uint64_t attaches;
    struct sender list[SENDERS_MAX];
};

/* Finds or begins the account of a CLIENT (not 0); the one longest out of use gives way. NULL when all are attached. */
struct sender *sender_attach(struct senders *senders, uint64_t client);
void sender_detach(struct sender *sender);

enum sent { SENT_AHEAD, SENT_BEFORE, SENT_NEW };

/* Of bytes that a CLIENT sends at its input offset: how many at the start were accepted before (`*skip`). SENT_AHEAD when
 * bytes between are missing, SENT_BEFORE when there is nothing new in it. */
enum sent sender_check(const struct sender *sender, uint64_t offset, size_t length, size_t *skip);

#endif
