#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "environment.h"
#include "fs.h"
#include "identity.h"

#define EXIT_NOT_STARTED 127

_Noreturn static void fail(int report, enum spawn_result result)
{
    uint8_t byte = (uint8_t)result;
    while (write(report, &byte, 1) < 0 && errno == EINTR)
        continue;
    _exit(EXIT_NOT_STARTED);
}

static void reset_signals(void)
{
    /* The kernel's own call, its struct all zeros: a libc refuses the signals that it keeps for its threads, and one
     * that whoever started us ignores (Go's runtime does) would stay ignored in everything that runs here. */
    static const unsigned long standard[4];
    for (int signal = 1; signal < _NSIG; signal++)
        syscall(SYS_rt_sigaction, signal, standard, NULL, sizeof(uint64_t));
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool take_descriptors(const struct plan *plan)
{
    return dup2(plan->input, 0) == 0 && dup2(plan->output, 1) == 1 && dup2(plan->error, 2) == 2;
}

/* All are close-on-exec already; this is for the commands that run without execve. */
static void close_others(void)
{
    if (syscall(SYS_close_range, 3u, ~0u, 0u) == 0)
        return;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    for (rlim_t fd = 3; fd < files.rlim_cur; fd++)
        close((int)fd);
}

static const char *directory_of(const struct text *directory, char *path, size_t size)
{
    if (directory->length >= size)
        return NULL;
    memcpy(path, directory->data, directory->length);
    path[directory->length] = 0;
    return path;
}

static bool enter_directory(const struct text *directory)
{
    static char path[4096];
    return !directory->data || (directory_of(directory, path, sizeof path) && chdir(path) == 0);
}

static enum spawn_result result_of(int error, const char *path)
{
    switch (error) {
    case ENOENT: /* a file that is there lacks its interpreter or loader */
        return access(path, F_OK) == 0 ? SPAWN_NOT_EXECUTABLE : SPAWN_NOT_FOUND;
    case ENOTDIR:
    case ENAMETOOLONG:
        return SPAWN_NOT_FOUND;
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ETXTBSY:
        return SPAWN_BUSY;
    case E2BIG:
    case EIO:
        return SPAWN_FAILED;
    default:
        return SPAWN_NOT_EXECUTABLE;
    }
}

/* Returns only when it did not work there. */
static enum spawn_result execute_in(const char *directory, size_t length, const struct arguments *arguments)
{
    static char path[4096];
    const char *name = arguments->argv[0];
    if (length + strlen(name) + 2 > sizeof path)
        return SPAWN_NOT_FOUND;
    memcpy(path, directory, length);
    path[length] = '/';
    strcpy(path + length + (length > 0), name); /* an empty entry is the working directory */
    execve(path, arguments->argv, arguments->envp);
    return result_of(errno, path);
}

static enum spawn_result execute_from_path(const struct arguments *arguments)
{
    const char *at = environment_get(arguments->envp, "PATH");
    enum spawn_result result = SPAWN_NOT_FOUND;
    for (bool more = at && *at; more;) {
        size_t length = (size_t)(strchrnul(at, ':') - at);
        enum spawn_result here = execute_in(at, length, arguments);
        if (result == SPAWN_NOT_FOUND)
            result = here;
        more = at[length] == ':';
        at += length + 1;
    }
    return result;
}

static enum spawn_result execute(const struct arguments *arguments)
{
    const char *name = arguments->argv[0];
    if (!*name)
        return SPAWN_NOT_FOUND;
    if (!strchr(name, '/'))
        return execute_from_path(arguments);
    execve(name, arguments->argv, arguments->envp);
    return result_of(errno, name);
}

static void prepare_process(const struct plan *plan, int report, const struct rlimit *files)
{
    setsid();
    if (getppid() != 1)
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* as a plain process; the kernel does it where sandboxd is PID 1 */
    if (plan->terminal && ioctl(plan->input, TIOCSCTTY, 0) != 0)
        fail(report, SPAWN_FAILED);
    if (!take_descriptors(plan))
        fail(report, SPAWN_FAILED);
    spawn_offer_to_oom_killer("self");
    setrlimit(RLIMIT_NOFILE, files);
}

_Noreturn void child_run(const struct plan *plan, int report, const struct rlimit *files)
{
    static struct identity identity;
    struct arguments arguments;
    prepare_process(plan, report, files);
    if (!identity_find(plan->command->user, &identity))
        fail(report, SPAWN_UNKNOWN_USER);
    if (!arguments_build(&arguments, plan->command, &identity, plan->bare, plan->terminal))
        fail(report, SPAWN_FAILED);
    if (!identity_take(&identity))
        fail(report, SPAWN_UNKNOWN_USER);
    if (!enter_directory(&plan->command->directory))
        fail(report, SPAWN_BAD_DIRECTORY);
    reset_signals();
    if (plan->self) {
        close_others();
        _exit(fs_main((int)arguments.argc, arguments.argv));
    }
    fail(report, execute(&arguments));
}
