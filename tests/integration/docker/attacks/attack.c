/* What a hostile program tries, one attempt for each name: `attack` alone tries all and prints `NAME RESULT` lines.
 *
 * RESULT is `ok` when the kernel let it through, the name of the error, or the signal that ended the attempt. Every attempt has
 * a process of its own, so one that gets through, or is killed, spoils no other. Static, so that it needs nothing of an image. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* Numbers that are the same everywhere since Linux 5; older headers lack some. */
enum { OPEN_TREE = 428, MOVE_MOUNT = 429, FSOPEN = 430, FSMOUNT = 432, PIDFD_OPEN = 434, CLONE3 = 435, PIDFD_GETFD = 438,
       PROCESS_MADVISE = 440, MOUNT_SETATTR = 442, QUOTACTL_FD = 443, IO_URING_SETUP = 425, IO_URING_ENTER = 426,
       IO_URING_REGISTER = 427 };
#define NEWTIME 0x80
#define SCRATCH "/tmp/attack-scratch"

static long unshared(unsigned long flags) { return syscall(SYS_unshare, flags); }

static long cloned(unsigned long flags)
{
    long child = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    return child;
}

static long cloned3(uint64_t flags)
{
    uint64_t arguments[11] = {flags, [4] = SIGCHLD};
    long child = syscall(CLONE3, arguments, sizeof arguments);
    if (child == 0)
        _exit(0);
    return child;
}

static long opened(const char *path, int flags) { return open(path, flags | O_CLOEXEC, 0600); }

static long written(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -1 : write(fd, text, strlen(text));
}

/* An empty file is how the engine hides one. */
static long byte_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : read(fd, &byte, 1);
    if (got == 0)
        errno = ENODATA;
    return got == 1 ? 0 : -1;
}

static long entered(const char *path, int kind)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -1 : syscall(SYS_setns, fd, kind);
}

static long device(mode_t kind, unsigned major, unsigned minor)
{
    unlink(SCRATCH);
    return mknod(SCRATCH, kind | 0600, makedev(major, minor));
}

static long handle_opened(void)
{
    struct { unsigned bytes; int type; unsigned char data[8]; } handle = {8, 1, {2}}; /* inode 2: the root of a file system */
    return syscall(SYS_open_by_handle_at, open("/", O_RDONLY), &handle, O_RDONLY);
}

static long program_loaded(void)
{
    struct bpf_insn instructions[] = {{.code = 0xb7}, {.code = 0x95}};
    union bpf_attr attributes = {.prog_type = 1, .insn_cnt = 2, .insns = (uintptr_t)instructions, .license = (uintptr_t)"GPL"};
    return syscall(SYS_bpf, 5, &attributes, sizeof attributes);
}

static long counter_opened(void)
{
    struct perf_event_attr attributes = {.size = sizeof attributes, .exclude_kernel = 1};
    return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

static long capability_taken(unsigned number)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    syscall(SYS_capget, &header, data);
    data[number / 32].effective |= 1u << number % 32;
    data[number / 32].permitted |= 1u << number % 32;
    return syscall(SYS_capset, &header, data);
}

static long clock_moved(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return syscall(SYS_clock_settime, CLOCK_REALTIME, &now);
}

static long clock_turned(void)
{
    struct timex change = {.modes = ADJ_FREQUENCY};
    return adjtimex(&change);
}

static long memory_of(pid_t pid)
{
    char here[8];
    struct iovec local = {here, sizeof here}, remote = {(void *)0x400000, sizeof here};
    return syscall(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0);
}

static long descriptor_of(pid_t pid)
{
    return syscall(PIDFD_GETFD, syscall(PIDFD_OPEN, pid, 0), 0, 0);
}

static long real_time(void)
{
    struct sched_param most = {.sched_priority = 99};
    return sched_setscheduler(0, SCHED_FIFO, &most);
}

static long raised(int resource)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(resource, &limit);
}

static long locked(void)
{
    size_t size = 1 << 20;
    return mlock(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), size);
}

static long labelled(void)
{
    unsigned char rights[20] = {1, 0, 0, 2, 0xff, 0xff, 0xff, 0xff}; /* VFS_CAP_REVISION_2, all of them */
    close(open(SCRATCH, O_CREAT | O_WRONLY, 0700));
    return setxattr(SCRATCH, "security.capability", rights, sizeof rights, 0);
}

/* 32-bit entry points: other numbers, of which a filter for 64 bits knows nothing. */
static long old_entry(long number, long first)
{
#if defined(__x86_64__)
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first) : "memory", "r8", "r9", "r10", "r11");
    errno = (int)-result;
    return result < 0 ? -1 : result;
#else
    (void)number, (void)first;
    errno = ENOSYS;
    return -1;
#endif
}

static long x32_entry(long number) { return syscall(0x40000000 | number, AF_UNIX, SOCK_STREAM, 0); }

static long socket_of(uint64_t family, uint64_t type, uint64_t protocol) { return syscall(SYS_socket, family, type, protocol); }


#define TRY(name, expression) \
    if (!strcmp(wanted, name) || !*wanted) \
        attempt(name, (errno = 0, attempting()) ? (expression) : 0);

static int report[2];
static const char *wanted = "";
static pid_t trying;

/* True in the process that makes the attempt; the other one waits for what it says. */
static bool attempting(void)
{
    fflush(stdout);
    if (pipe2(report, O_CLOEXEC) != 0 || (trying = fork()) < 0)
        exit(2);
    return trying == 0;
}

static void attempt(const char *name, long result)
{
    int error = result < 0 ? errno : 0, status;
    if (trying == 0) {
        alarm(0);
        _exit(write(report[1], &error, sizeof error) != sizeof error);
    }
    close(report[1]);
    bool told = read(report[0], &error, sizeof error) == sizeof error;
    close(report[0]);
    waitpid(trying, &status, 0);
    if (!told)
        printf("%s %s\n", name, WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "silent");
    else
        printf("%s %s\n", name, error ? strerrorname_np(error) : "ok");
}

static void sockets(void)
{
    TRY("AF_ALG", socket_of(38, SOCK_SEQPACKET, 0))
    TRY("AF_ALG-high-bits", socket_of(0x100000026, SOCK_SEQPACKET, 0))
    TRY("AF_VSOCK", socket_of(40, SOCK_STREAM, 0))
    TRY("AF_PACKET", socket_of(AF_PACKET, SOCK_RAW, 0x300))
    TRY("AF_PACKET-dgram", socket_of(AF_PACKET, SOCK_DGRAM, 0x300))
    TRY("AF_KEY", socket_of(15, SOCK_RAW, 2))
    TRY("AF_BLUETOOTH", socket_of(31, SOCK_RAW, 1))
    TRY("AF_CAN", socket_of(29, SOCK_RAW, 1))
    TRY("AF_TIPC", socket_of(30, SOCK_STREAM, 0))
    TRY("AF_RDS", socket_of(21, SOCK_SEQPACKET, 0))
    TRY("AF_XDP", socket_of(44, SOCK_RAW, 0))
    TRY("AF_SMC", socket_of(43, SOCK_STREAM, 0))
    TRY("raw-IPv4", socket_of(AF_INET, SOCK_RAW, 1))
    TRY("raw-IPv4-any", socket_of(AF_INET, SOCK_RAW, 255))
    TRY("raw-IPv6", socket_of(AF_INET6, SOCK_RAW, 58))
    TRY("SCTP", socket_of(AF_INET, SOCK_STREAM, 132))
    TRY("DCCP", socket_of(AF_INET, 6, 33))
    TRY("L2TP", socket_of(AF_INET, SOCK_DGRAM, 115))
    TRY("netlink-netfilter", socket_of(AF_NETLINK, SOCK_RAW, 12))
    TRY("netlink-xfrm", socket_of(AF_NETLINK, SOCK_RAW, 6))
    TRY("netlink-crypto", socket_of(AF_NETLINK, SOCK_RAW, 21))
    TRY("netlink-audit", socket_of(AF_NETLINK, SOCK_RAW, 9))
    TRY("netlink-uevent", socket_of(AF_NETLINK, SOCK_DGRAM, 15))
    TRY("socketpair-AF_ALG", syscall(SYS_socketpair, 38UL, (long)SOCK_SEQPACKET, 0L, report))
    TRY("netlink-high-bits", socket_of(AF_NETLINK, SOCK_RAW, 0x10000000c))
    TRY("socketcall-i386", old_entry(102, 1))
}

static void namespaces(void)
{
    static const struct { const char *name; unsigned long flag; } kinds[] = {
        {"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"net", CLONE_NEWNET}, {"pid", CLONE_NEWPID}, {"ipc", CLONE_NEWIPC},
        {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}, {"time", NEWTIME},
    };
    char name[64];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(name, sizeof name, "unshare-%s", kinds[i].name);
        TRY(name, unshared(kinds[i].flag))
        snprintf(name, sizeof name, "clone3-%s", kinds[i].name);
        TRY(name, cloned3(kinds[i].flag))
        snprintf(name, sizeof name, "clone-%s", kinds[i].name);
        if (kinds[i].flag != NEWTIME) /* there it would be a part of the signal's number */
            TRY(name, cloned(kinds[i].flag))
    }
    TRY("unshare-user-and-mnt", unshared(CLONE_NEWUSER | CLONE_NEWNS))
    TRY("setns-own-user", entered("/proc/self/ns/user", 0))
    TRY("setns-of-pid-1", entered("/proc/1/ns/mnt", 0))
    TRY("setns-pidfd", syscall(SYS_setns, syscall(PIDFD_OPEN, getppid(), 0), CLONE_NEWNS))
    TRY("mount-proc", syscall(SYS_mount, "proc", "/tmp", "proc", 0, 0))
    TRY("mount-cgroup", syscall(SYS_mount, "cgroup", "/tmp", "cgroup", 0, "memory"))
    TRY("mount-remount-rw", syscall(SYS_mount, "", "/.playground", "", 0x1020, 0))
    TRY("mount-bind", syscall(SYS_mount, "/", "/tmp", "", 0x1000, 0))
    TRY("umount-playground", syscall(SYS_umount2, "/.playground", 2))
    TRY("umount-masked", syscall(SYS_umount2, "/proc/kcore", 2))
    TRY("pivot_root", syscall(SYS_pivot_root, "/tmp", "/tmp"))
    TRY("chroot", syscall(SYS_chroot, "/tmp"))
    TRY("open_tree", syscall(OPEN_TREE, -100, "/", 1))
    TRY("move_mount", syscall(MOVE_MOUNT, -100, "/tmp", -100, "/mnt", 0))
    TRY("fsopen", syscall(FSOPEN, "proc", 0))
    TRY("fsmount", syscall(FSMOUNT, -1, 0, 0))
    TRY("mount_setattr", syscall(MOUNT_SETATTR, -100, "/", 0, 0, 0))
    TRY("open_by_handle_at", handle_opened())
    TRY("name_to_handle_at", syscall(SYS_name_to_handle_at, -100, "/", 0, 0, 0))
}

static void kernel(void)
{
    TRY("io_uring_setup", syscall(IO_URING_SETUP, 1, 0))
    TRY("io_uring_enter", syscall(IO_URING_ENTER, 0, 0, 0, 0, 0, 0))
    TRY("io_uring_register", syscall(IO_URING_REGISTER, 0, 0, 0, 0))
    TRY("io_setup", syscall(SYS_io_setup, 1, &(unsigned long){0}))
    TRY("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC))
    TRY("userfaultfd-device", opened("/dev/userfaultfd", O_RDWR))
    TRY("keyctl", syscall(SYS_keyctl, 0, -3, 0))
    TRY("add_key", syscall(SYS_add_key, "user", "name", "value", 5, -3))
    TRY("request_key", syscall(SYS_request_key, "user", "name", 0, 0))
    TRY("bpf", program_loaded())
    TRY("perf_event_open", counter_opened())
    TRY("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0))
    TRY("init_module", syscall(SYS_init_module, "", 0, ""))
    TRY("finit_module", syscall(SYS_finit_module, 0, "", 0))
    TRY("delete_module", syscall(SYS_delete_module, "loop", 0))
    TRY("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0, 0))
    TRY("swapon", syscall(SYS_swapon, SCRATCH, 0))
    TRY("swapoff", syscall(SYS_swapoff, SCRATCH))
    TRY("quotactl", syscall(SYS_quotactl, 0x800001 << 8, "/dev/vda", 0, 0))
    TRY("quotactl_fd", syscall(QUOTACTL_FD, 0, 0x800001 << 8, 0, 0))
    TRY("acct", syscall(SYS_acct, SCRATCH))
    TRY("syslog", syscall(SYS_syslog, 3, report, 8))
    TRY("fanotify_init", syscall(SYS_fanotify_init, 0, 0))
    TRY("kcmp", syscall(SYS_kcmp, 1, getpid(), 0, 0, 0))
    TRY("move_pages", syscall(SYS_move_pages, 0, 0, 0, 0, 0, 0))
    TRY("mbind", syscall(SYS_mbind, 0, 4096, 0, 0, 0, 0))
    TRY("lookup_dcookie", syscall(SYS_lookup_dcookie, 1, 0, 0))
    TRY("vhangup", syscall(SYS_vhangup))
    TRY("clock_settime", clock_moved())
    TRY("settimeofday", syscall(SYS_settimeofday, &(struct timeval){1, 0}, 0))
    TRY("adjtimex", clock_turned())
    TRY("sethostname", syscall(SYS_sethostname, "x", 1))
    TRY("setdomainname", syscall(SYS_setdomainname, "x", 1))
    TRY("personality-i386", syscall(SYS_personality, 8UL))
    TRY("personality-no-randomisation", syscall(SYS_personality, 0x40000UL))
    TRY("personality-high-bits", syscall(SYS_personality, 0x100000008UL))
    TRY("process_madvise", syscall(PROCESS_MADVISE, -1, 0, 0, 0, 0))
#if defined(__x86_64__)
    TRY("iopl", syscall(SYS_iopl, 3))
    TRY("ioperm", syscall(SYS_ioperm, 0x70, 1, 1))
    TRY("modify_ldt", syscall(SYS_modify_ldt, 0, report, 8))
    TRY("uselib", syscall(SYS_uselib, "/x"))
    TRY("ustat", syscall(SYS_ustat, 0, 0))
    TRY("sysfs", syscall(SYS_sysfs, 3))
#endif
    TRY("i386-getpid", old_entry(20, 0))
    TRY("i386-unshare", old_entry(310, CLONE_NEWUSER))
    TRY("x32-socket", x32_entry(41))
    TRY("x32-getpid", x32_entry(39))
}

static void rights(void)
{
    TRY("capability-NET_RAW", capability_taken(CAP_NET_RAW))
    TRY("capability-SYS_ADMIN", capability_taken(CAP_SYS_ADMIN))
    TRY("capability-SYS_PTRACE", capability_taken(CAP_SYS_PTRACE))
    TRY("ambient-NET_RAW", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0))
    TRY("privileges-again", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0))
    TRY("file-capabilities", labelled())
    TRY("device-block", device(S_IFBLK, 8, 0))
    TRY("device-memory", device(S_IFCHR, 1, 1))
    TRY("device-fuse", device(S_IFCHR, 10, 229))
    TRY("device-null", device(S_IFCHR, 1, 3))
    TRY("ptrace-pid-1", ptrace(PTRACE_ATTACH, 1, 0, 0))
    TRY("ptrace-seize-pid-1", ptrace(PTRACE_SEIZE, 1, 0, 0))
    TRY("read-memory-of-pid-1", memory_of(1))
    TRY("pidfd_getfd-pid-1", descriptor_of(1))
    TRY("real-time", real_time())
    TRY("nice", setpriority(PRIO_PROCESS, 0, -20))
    TRY("io-real-time", syscall(SYS_ioprio_set, 1, 0, 1 << 13))
    TRY("more-files", raised(RLIMIT_NOFILE))
    TRY("more-locked-memory", raised(RLIMIT_MEMLOCK))
    TRY("larger-files", raised(RLIMIT_FSIZE))
    TRY("core-files", raised(RLIMIT_CORE))
    TRY("lock-memory", locked())
    TRY("oom-exempt", written("/proc/self/oom_score_adj", "-1000"))
}

static void files(void)
{
    static const struct { const char *path, *text; } writes[] = {
        {"/proc/sys/kernel/core_pattern", "|/tmp/x"}, {"/proc/sys/kernel/hostname", "x"}, {"/proc/sys/kernel/modprobe", "/tmp/x"},
        {"/proc/sys/vm/overcommit_memory", "1"}, {"/proc/sys/net/ipv4/ip_forward", "1"}, {"/proc/sys/user/max_user_namespaces", "9"},
        {"/proc/sys/fs/binfmt_misc/register", ":x:"}, {"/proc/sysrq-trigger", "h"}, {"/proc/irq/default_smp_affinity", "1"},
        {"/proc/bus/pci/00/00.0", "x"}, {"/proc/fs/nfsd/x", "x"}, {"/proc/acpi/wakeup", "x"}, {"/proc/scsi/scsi", "x"},
        {"/proc/1/oom_score_adj", "-1000"}, {"/proc/1/mem", "x"}, {"/proc/1/attr/current", "x"}, {"/proc/1/uid_map", "0 0 1"},
        {"/proc/self/uid_map", "0 0 1"}, {"/proc/self/setgroups", "allow"},
        {"/sys/kernel/mm/transparent_hugepage/enabled", "always"}, {"/sys/kernel/uevent_helper", "/tmp/x"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "-1"}, {"/sys/fs/cgroup/memory/cgroup.procs", "0"},
        {"/sys/fs/cgroup/memory/release_agent", "/tmp/x"}, {"/sys/fs/cgroup/pids/pids.max", "max"},
        {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1"}, {"/sys/fs/cgroup/devices/devices.allow", "a"},
        {"/sys/fs/cgroup/freezer/freezer.state", "FROZEN"}, {"/sys/fs/cgroup/memory.max", "max"},
        {"/sys/fs/cgroup/cgroup.procs", "0"}, {"/sys/fs/cgroup/pids.max", "max"}, {"/sys/fs/cgroup/cgroup.subtree_control", "+memory"},
        {"/.playground/sandboxd", "x"}, {"/.playground/boot", "x"}, {"/proc/1/exe", "x"},
    };
    static const char *const reads[] = {
        "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/latency_stats", "/proc/1/environ", "/proc/1/maps",
        "/proc/1/mem", "/proc/1/root/etc/passwd", "/proc/1/cwd/etc", "/proc/1/fd/0", "/proc/1/fd/3", "/proc/1/fd/5", "/proc/1/fdinfo/3", "/proc/1/exe", "/proc/1/ns/user", "/dev/mem", "/dev/kmsg", "/dev/port",
        "/dev/fuse", "/dev/kvm", "/dev/vda", "/dev/sda", "/dev/loop-control", "/dev/net/tun", "/proc/kmsg", "/proc/vmallocinfo",
        "/sys/kernel/debug/x", "/sys/kernel/security/x", "/sys/firmware/dmi/tables/DMI", "/sys/kernel/tracing/trace", "/var/run/docker.sock", "/run/docker.sock",
    };
    char name[128];
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        snprintf(name, sizeof name, "write:%s", writes[i].path);
        TRY(name, written(writes[i].path, writes[i].text))
    }
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        snprintf(name, sizeof name, "read:%s", reads[i]);
        TRY(name, byte_read(reads[i]))
    }
    TRY("create-in-playground", opened("/.playground/x", O_CREAT | O_WRONLY))
    TRY("create-in-sys", opened("/sys/x", O_CREAT | O_WRONLY))
    TRY("unlink-sandboxd", unlink("/.playground/sandboxd"))
    TRY("rename-playground", rename("/.playground", "/tmp/x"))
    TRY("rename-sandboxd", rename("/.playground/sandboxd", "/.playground/x"))
    TRY("chmod-sandboxd", chmod("/.playground/sandboxd", 0777))
    TRY("chown-sandboxd", chown("/.playground/sandboxd", 1, 1))
    TRY("link-sandboxd", link("/.playground/sandboxd", "/root-link"))
    TRY("utime-sandboxd", utimensat(-100, "/.playground/sandboxd", NULL, 0))
    TRY("truncate-sandboxd", truncate("/.playground/sandboxd", 0))
}

/* As a set-user-id program: the user that it acts for now. */
static int who(void)
{
    printf("%u %u\n", getuid(), geteuid());
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "who"))
        return who();
    wanted = argc > 1 ? argv[1] : "";
    sockets();
    namespaces();
    kernel();
    rights();
    files();
    return 0;
}
