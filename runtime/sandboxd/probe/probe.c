/* What the probe machine runs (runtime/engines/docker/probe.py), and no other machine has: tries what a host should refuse.
 *
 *     probe calls             one line for each dangerous system call: its name and the number of the error, 0 when it worked
 *     probe memory BYTES      touches so much; exits with 0 when it could
 *     probe processes N       prints how many of N it could start
 *     probe spin MILLISECONDS prints the milliseconds of CPU that it got in that time
 *     probe fill PATH BYTES   writes so much; exits with the number of the error, 0 when all was written */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AF_ALG_NUMBER 38
#define AF_VSOCK_NUMBER 40
#define IO_URING_SETUP 425
#define FSOPEN 430

static void say(const char *name, long result)
{
    printf("%s %d\n", name, result < 0 ? errno : 0);
}

static int calls(void)
{
    say("AF_ALG", socket(AF_ALG_NUMBER, SOCK_SEQPACKET, 0));
    say("AF_VSOCK", socket(AF_VSOCK_NUMBER, SOCK_STREAM, 0));
    say("AF_PACKET", socket(AF_PACKET, SOCK_RAW, 0));
    say("raw-socket", socket(AF_INET, SOCK_RAW, 1));
    say("netlink-netfilter", socket(AF_NETLINK, SOCK_RAW, 12));
    say("io_uring_setup", syscall(IO_URING_SETUP, 1, 0));
    say("userfaultfd", syscall(SYS_userfaultfd, 0));
    say("keyctl", syscall(SYS_keyctl, 0, -3, 0));
    say("add_key", syscall(SYS_add_key, "user", "probe", "x", 1, -3));
    say("bpf", syscall(SYS_bpf, 0, 0, 0));
    say("perf_event_open", syscall(SYS_perf_event_open, 0, 0, -1, -1, 0));
    say("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, 0));
    say("fsopen", syscall(FSOPEN, "tmpfs", 0));
    say("setns", syscall(SYS_setns, open("/proc/self/ns/user", O_RDONLY), 0));
    say("unshare-user", unshare(CLONE_NEWUSER));
    say("unshare-mount", unshare(CLONE_NEWNS));
    say("unshare-network", unshare(CLONE_NEWNET));
    return 0;
}

static int memory(size_t bytes)
{
    char *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return errno;
    for (size_t at = 0; at < bytes; at += 4096)
        ((volatile char *)start)[at] = 1;
    return 0;
}

static int processes(long wanted)
{
    long started = 0;
    setpgid(0, 0);
    for (; started < wanted; started++) {
        pid_t child = fork();
        if (child < 0)
            break;
        if (child == 0) {
            pause();
            _exit(0);
        }
    }
    printf("%ld\n", started);
    fflush(stdout);
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    while (wait(NULL) > 0)
        continue;
    return 0;
}

static long milliseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int spin(long for_so_long)
{
    long end = milliseconds(CLOCK_MONOTONIC) + for_so_long;
    while (milliseconds(CLOCK_MONOTONIC) < end)
        continue;
    printf("%ld\n", milliseconds(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}

static int fill(const char *path, long bytes)
{
    static char block[65536];
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    memset(block, 1, sizeof block);
    int error = 0;
    while (bytes > 0 && !error) {
        ssize_t written = write(fd, block, sizeof block);
        if (written < 0)
            error = errno;
        else
            bytes -= written;
    }
    if (!error && fsync(fd) != 0)
        error = errno;
    unlink(path);
    return error;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "calls"))
        return calls();
    if (!strcmp(what, "memory") && argc == 3)
        return memory(strtoul(argv[2], NULL, 10));
    if (!strcmp(what, "processes") && argc == 3)
        return processes(atol(argv[2]));
    if (!strcmp(what, "spin") && argc == 3)
        return spin(atol(argv[2]));
    if (!strcmp(what, "fill") && argc == 4)
        return fill(argv[2], atol(argv[3]));
    return 125;
}
