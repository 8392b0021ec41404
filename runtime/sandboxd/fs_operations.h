/* The operations of `sandboxd fs`. Each returns its exit status, an enum fs_status. */
#ifndef SANDBOXD_FS_OPERATIONS_H
#define SANDBOXD_FS_OPERATIONS_H

#include <stdbool.h>
#include <stddef.h>

enum fs_status {
    FS_DONE = 0,
    FS_FAILED = 1,
    FS_USAGE = 2,
    FS_NOT_FOUND = 10,
    FS_FORBIDDEN = 11,
    FS_NOT_A_FILE = 12,
    FS_NOT_A_DIRECTORY = 13,
    FS_NO_SPACE = 14,
};

int fs_write(const char *path);
int fs_list(const char *path);
int fs_stat(const char *path);
int fs_delete(const char *path, bool recursive);

/* The status for an errno; writes words for a person to standard error. */
int fs_fail(int error);
/* Opens a regular file to read; -1 and errno otherwise: EISDIR for whatever else it is. Never waits. */
int fs_open_file(const char *path);
/* Copies to the end. Returns 0 or the errno. */
int fs_copy(int from, int to);
/* Writes all of it. Returns 0 or the errno. */
int fs_put(int to, const void *data, size_t length);

/* One entry of a directory, as getdents64 lays it out. */
struct fs_entry {
    unsigned long long inode;
    long long offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* Fills the buffer with entries. Returns its length, 0 at the end, -1 and errno. */
long fs_entries(int directory, void *buffer, size_t size);
/* Whether the entry is the directory itself or its parent. */
bool fs_is_dot(const struct fs_entry *entry);

#endif
