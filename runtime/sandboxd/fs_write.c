#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs_operations.h"

#define PATH_SIZE 4096
#define LINKS_MOST 40

/* The file that the bytes go to until they are complete; what a signal has to take away. */
static struct {
    int directory;
    char name[32];
} temporary;

static void take_away(int signal)
{
    unlinkat(temporary.directory, temporary.name, 0);
    _exit(128 + signal);
}

/* Replaces the link at `path` by what it points to. Returns whether it was one. */
static bool follow_link(char path[PATH_SIZE])
{
    char target[PATH_SIZE];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length <= 0)
        return false;
    size_t keep = target[0] == '/' ? 0 : (size_t)(strrchr(path, '/') + 1 - path);
    if (keep + (size_t)length >= PATH_SIZE)
        return false;
    memcpy(path + keep, target, (size_t)length);
    path[keep + (size_t)length] = 0;
    return true;
}

static int resolve(const char *given, char path[PATH_SIZE])
{
    if (strlen(given) >= PATH_SIZE)
        return ENAMETOOLONG;
    strcpy(path, given);
    for (int links = 0; follow_link(path); links++)
        if (links == LINKS_MOST)
            return ELOOP;
    return 0;
}

static void name_temporary(void)
{
    uint64_t number = 0;
    if (syscall(SYS_getrandom, &number, sizeof number, 1 /* GRND_NONBLOCK */) < 0)
        number = (uint64_t)getpid();
    char *at = stpcpy(temporary.name, ".sandboxd-");
    for (int i = 0; i < 16; i++, number >>= 4)
        *at++ = "0123456789abcdef"[number & 15];
    *at = 0;
}

static int open_temporary(void)
{
    struct sigaction clean = {.sa_handler = take_away};
    name_temporary();
    sigaction(SIGTERM, &clean, NULL);
    sigaction(SIGINT, &clean, NULL);
    sigaction(SIGHUP, &clean, NULL);
    sigaction(SIGPIPE, &clean, NULL);
    return openat(temporary.directory, temporary.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static mode_t mode_of_new_files(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static int keep_owner_and_mode(int fd, const struct stat *before)
{
    if (fchown(fd, before->st_uid, before->st_gid) != 0) {
        /* only root may give files away; then it is the writer's, like any new file */
    }
    return fchmod(fd, before->st_mode & 07777) == 0 ? 0 : errno;
}

/* `before` is NULL for a file that did not exist. Returns 0 or the errno; after an error nothing has changed. */
static int replace(const char *name, const struct stat *before)
{
    int fd = open_temporary();
    if (fd < 0)
        return errno;
    int error = fs_copy(0, fd);
    if (!error)
        error = before ? keep_owner_and_mode(fd, before) : fchmod(fd, mode_of_new_files()) != 0 ? errno : 0;
    if (close(fd) != 0 && !error)
        error = errno;
    if (!error && renameat(temporary.directory, temporary.name, temporary.directory, name) != 0)
        error = errno;
    if (error)
        unlinkat(temporary.directory, temporary.name, 0);
    return error;
}

static int write_into_directory(const char *name)
{
    struct stat before;
    if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
        return EISDIR;
    if (fstatat(temporary.directory, name, &before, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? replace(name, NULL) : errno;
    if (!S_ISREG(before.st_mode))
        return EISDIR;
    if (faccessat(temporary.directory, name, W_OK, 0) != 0)
        return errno;
    return replace(name, &before);
}

int fs_write(const char *given)
{
    char path[PATH_SIZE];
    int error = resolve(given, path);
    if (error)
        return fs_fail(error);
    char *name = strrchr(path, '/') + 1;
    char first = *name;
    *name = 0;
    temporary.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_PATH);
    if (temporary.directory < 0)
        return fs_fail(errno);
    *name = first;
    error = write_into_directory(name);
    return error ? fs_fail(error) : FS_DONE;
}
