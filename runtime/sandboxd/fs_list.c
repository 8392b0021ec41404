#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs_operations.h"

#define OUTPUT_SIZE 32768
#define RECORD_MOST 8704 /* numbers, a path, a target */
#define TARGET_SIZE 4097

static struct {
    size_t used;
    char bytes[OUTPUT_SIZE];
} output;

static int flush(void)
{
    int error = fs_put(1, output.bytes, output.used);
    output.used = 0;
    return error;
}

static void put_text(const char *text)
{
    size_t length = strlen(text);
    memcpy(output.bytes + output.used, text, length);
    output.used += length;
}

static void put_byte(char byte)
{
    output.bytes[output.used++] = byte;
}

static void put_number(uint64_t number, unsigned base, int least_digits)
{
    char digits[24];
    int count = 0;
    while (number || count < least_digits) {
        digits[count++] = (char)('0' + number % base);
        number /= base;
    }
    while (count)
        put_byte(digits[--count]);
}

static char letter_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return 'f';
    case S_IFDIR:
        return 'd';
    case S_IFLNK:
        return 'l';
    case S_IFIFO:
        return 'p';
    case S_IFSOCK:
        return 's';
    case S_IFCHR:
        return 'c';
    default:
        return 'b';
    }
}

static void put_time(const struct timespec *time)
{
    int64_t seconds = time->tv_sec;
    if (seconds < 0)
        put_byte('-');
    put_number((uint64_t)(seconds < 0 ? -seconds : seconds), 10, 1);
    put_byte('.');
    put_number((uint64_t)time->tv_nsec, 10, 9);
}

static void put_head(const struct stat *status)
{
    put_byte(letter_of(status->st_mode));
    put_byte(' ');
    put_number(status->st_mode & 07777, 8, 4);
    put_byte(' ');
    put_number((uint64_t)status->st_size, 10, 1);
    put_byte(' ');
    put_time(&status->st_mtim);
    put_byte(' ');
    put_number(status->st_uid, 10, 1);
    put_byte(' ');
    put_number(status->st_gid, 10, 1);
    put_byte(0);
}

/* Returns 0 or an errno. An entry that is gone already is none. */
static int put_record(int directory, const char *name)
{
    struct stat status;
    char target[TARGET_SIZE] = "";
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno;
    if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlinkat(directory, name, target, sizeof target - 1);
        target[length > 0 ? length : 0] = 0;
    }
    put_head(&status);
    put_text(name);
    put_byte(0);
    put_text(target);
    put_byte(0);
    return output.used > OUTPUT_SIZE - RECORD_MOST ? flush() : 0;
}

static int put_entries(int directory, const char *buffer, long length)
{
    for (long at = 0; at < length;) {
        const struct fs_entry *entry = (const struct fs_entry *)(buffer + at);
        int error = fs_is_dot(entry) ? 0 : put_record(directory, entry->name);
        if (error && error != ENOENT)
            return error;
        at += entry->length;
    }
    return 0;
}

int fs_list(const char *path)
{
    static char buffer[16384] __attribute__((aligned(8)));
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
    if (directory < 0)
        return fs_fail(errno);
    long length;
    while ((length = fs_entries(directory, buffer, sizeof buffer)) > 0) {
        int error = put_entries(directory, buffer, length);
        if (error)
            return fs_fail(error);
    }
    int error = length < 0 ? errno : flush();
    return error ? fs_fail(error) : FS_DONE;
}

int fs_stat(const char *path)
{
    if (strlen(path) >= TARGET_SIZE)
        return fs_fail(ENAMETOOLONG);
    int error = put_record(AT_FDCWD, path);
    if (!error)
        error = flush();
    return error ? fs_fail(error) : FS_DONE;
}
