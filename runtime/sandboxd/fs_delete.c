#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fs_operations.h"

#define DEPTH_MOST 256

static int remove_tree(int parent, const char *name, int depth);

/* Returns 0 or an errno; counts what was removed. */
static int remove_entries(int directory, int depth, unsigned *removed)
{
    char buffer[4096] __attribute__((aligned(8)));
    long length;
    while ((length = fs_entries(directory, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < length;) {
            const struct fs_entry *entry = (const struct fs_entry *)(buffer + at);
            int error = fs_is_dot(entry) ? 0 : remove_tree(directory, entry->name, depth);
            if (error)
                return error;
            *removed += !fs_is_dot(entry);
            at += entry->length;
        }
    }
    return length < 0 ? errno : 0;
}

/* Never follows a link: what is opened is a directory below the one that was opened before. Some filesystems skip entries
 * while others are removed, hence the repetition as long as it gets on. */
static int remove_directory(int parent, const char *name, int depth)
{
    unsigned removed;
    int error = 0;
    if (depth == DEPTH_MOST)
        return ELOOP;
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return errno;
    do {
        removed = 0;
        if (lseek(directory, 0, SEEK_SET) < 0 || (error = remove_entries(directory, depth + 1, &removed)))
            break;
        error = unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : errno;
    } while (error == ENOTEMPTY && removed);
    close(directory);
    return error;
}

static int remove_tree(int parent, const char *name, int depth)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    return errno == EISDIR || errno == EPERM ? remove_directory(parent, name, depth) : errno;
}

static int remove_one(const char *path)
{
    if (unlink(path) == 0)
        return 0;
    return (errno == EISDIR || errno == EPERM) && rmdir(path) == 0 ? 0 : errno;
}

int fs_delete(const char *path, bool recursive)
{
    if (!path[strspn(path, "/")])
        return fs_fail(EPERM); /* the root itself */
    if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno != EINVAL)
        return fs_fail(errno);
    int error = recursive ? remove_tree(AT_FDCWD, path, 0) : remove_one(path);
    return error ? fs_fail(error) : FS_DONE;
}
