#include "queue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool queue_put(struct queue *queue, const uint8_t *data, size_t length)
{
    if (length > QUEUE_SIZE - queue->used)
        return false;
    uint32_t to = (queue->from + queue->used) % QUEUE_SIZE;
    size_t first = length < QUEUE_SIZE - to ? length : QUEUE_SIZE - to;
    memcpy(queue->bytes + to, data, first);
    memcpy(queue->bytes, data + first, length - first);
    queue->used += (uint32_t)length;
    return true;
}

size_t queue_peek(const struct queue *queue, const uint8_t **data)
{
    *data = queue->bytes + queue->from;
    uint32_t piece = QUEUE_SIZE - queue->from;
    return queue->used < piece ? queue->used : piece;
}

void queue_drop(struct queue *queue, size_t length)
{
    queue->used -= (uint32_t)length;
    queue->from = queue->used ? (queue->from + (uint32_t)length) % QUEUE_SIZE : 0;
}

bool queue_write(struct queue *queue, int fd)
{
    const uint8_t *data;
    for (size_t length; (length = queue_peek(queue, &data)) > 0;) {
        ssize_t written = write(fd, data, length);
        if (written > 0) {
            queue_drop(queue, (size_t)written);
        } else if (written < 0 && errno == EAGAIN) {
            return true;
        } else if (written == 0 || errno != EINTR) {
            queue_drop(queue, queue->used);
            return false;
        }
    }
    return true;
}
