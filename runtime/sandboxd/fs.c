/* sandboxd fs OPERATION PATH: the file operations of the API. Paths are absolute; symbolic links are followed as the machine's
 * user would follow them, and the kernel checks that user's rights. Nothing but regular files is ever read or written.
 *
 *   read PATH        the bytes of the file on standard output
 *   write PATH       standard input becomes the file: at once and as a whole, or not at all. An existing file keeps its mode
 *                    and, where that is allowed, its owner
 *   list PATH        one record for each entry of the directory, in no order, without . and ..
 *   stat PATH        one record, of a link itself; its name is PATH
 *   delete [-r] PATH a file, a link, an empty directory; with -r whatever is in it
 *   mkdir PATH       the directory and its missing parents; success when it is there
 *
 * A record is three strings, each ended by a NUL (names hold any other byte):
 *
 *   TYPE MODE SIZE MTIME UID GID    type f d l p s c b; mode octal, four digits; size in bytes; mtime in seconds since 1970
 *                                   with nine decimals
 *   name
 *   target                          of a symbolic link, otherwise empty
 *
 * Exit status: 0 done; 1 failed otherwise; 2 wrong usage; 10 not found; 11 forbidden; 12 not a file; 13 not a directory;
 * 14 no space. Words for a person are on standard error. */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs_operations.h"

#define COPY_SIZE 65536

struct failure {
    int status;
    const char *words;
};

static struct failure failure_of(int error)
{
    switch (error) {
    case ENOENT:
        return (struct failure){FS_NOT_FOUND, "no such file or directory\n"};
    case EACCES:
    case EPERM:
        return (struct failure){FS_FORBIDDEN, "not permitted\n"};
    case EROFS:
        return (struct failure){FS_FORBIDDEN, "this part of the machine is read-only\n"};
    case EISDIR:
    case ENXIO:
        return (struct failure){FS_NOT_A_FILE, "not a regular file\n"};
    case ENOTDIR:
        return (struct failure){FS_NOT_A_DIRECTORY, "not a directory\n"};
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return (struct failure){FS_NO_SPACE, "no space left\n"};
    case ENOTEMPTY:
        return (struct failure){FS_FAILED, "the directory is not empty\n"};
    case EBUSY:
        return (struct failure){FS_FAILED, "the file is in use by the system\n"};
    case ENAMETOOLONG:
        return (struct failure){FS_FAILED, "the name is too long\n"};
    case ELOOP:
        return (struct failure){FS_FAILED, "too many levels of links or directories\n"};
    default:
        return (struct failure){FS_FAILED, "the operation failed\n"};
    }
}

int fs_put(int to, const void *data, size_t length)
{
    const char *at = data;
    while (length) {
        ssize_t written = write(to, at, length);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            at += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

int fs_fail(int error)
{
    struct failure failure = failure_of(error);
    fs_put(2, failure.words, strlen(failure.words));
    return failure.status;
}

int fs_open_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        errno = EISDIR;
        return -1;
    }
    return fd;
}

int fs_copy(int from, int to)
{
    static char buffer[COPY_SIZE];
    for (;;) {
        ssize_t got = read(from, buffer, sizeof buffer);
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return errno;
        int error = got > 0 ? fs_put(to, buffer, (size_t)got) : 0;
        if (error)
            return error;
    }
}

long fs_entries(int directory, void *buffer, size_t size)
{
    return syscall(SYS_getdents64, directory, buffer, size);
}

bool fs_is_dot(const struct fs_entry *entry)
{
    return !strcmp(entry->name, ".") || !strcmp(entry->name, "..");
}

static int read_file(const char *path)
{
    int fd = fs_open_file(path);
    int error = fd < 0 ? errno : fs_copy(fd, 1);
    return error ? fs_fail(error) : FS_DONE;
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Makes the directory whose name ends at `end`, unless it is there. Returns 0 or the errno. */
static int make_directory(char *path, char *end)
{
    char after = *end;
    *end = 0;
    int error = mkdir(path, 0777) == 0 ? 0 : errno;
    if (error && is_directory(path))
        error = 0;
    else if (error == EEXIST)
        error = ENOTDIR;
    *end = after;
    return error;
}

static int make_directories(char *path)
{
    for (char *at = path + 1; *at; at++) {
        int error = *at == '/' ? make_directory(path, at) : 0;
        if (error)
            return fs_fail(error);
    }
    int error = make_directory(path, path + strlen(path));
    return error ? fs_fail(error) : FS_DONE;
}

static int wrong_usage(void)
{
    static const char words[] = "usage: sandboxd fs read|write|list|stat|delete [-r]|mkdir /PATH\n";
    fs_put(2, words, sizeof words - 1);
    return FS_USAGE;
}

int fs_main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file over its limit is an error to tell, not the end */
    bool recursive = argc == 4 && !strcmp(argv[2], "-r") && !strcmp(argv[1], "delete");
    if (argc != 3 && !recursive)
        return wrong_usage();
    const char *operation = argv[1];
    char *path = argv[argc - 1];
    if (path[0] != '/' || strcmp(argv[0], "fs") != 0)
        return wrong_usage();
    if (!strcmp(operation, "read"))
        return read_file(path);
    if (!strcmp(operation, "write"))
        return fs_write(path);
    if (!strcmp(operation, "list"))
        return fs_list(path);
    if (!strcmp(operation, "stat"))
        return fs_stat(path);
    if (!strcmp(operation, "delete"))
        return fs_delete(path, recursive);
    return !strcmp(operation, "mkdir") ? make_directories(path) : wrong_usage();
}
