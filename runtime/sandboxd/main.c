/* sandboxd: PID 1 of every machine. See PROTOCOL.md. */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "boot.h"
#include "bridge.h"
#include "fs.h"
#include "listener.h"
#include "loop.h"
#include "machine.h"
#include "spawn.h"

#define USAGE \
    "usage: sandboxd boot|listen PATH [DIRECTORY]\n       sandboxd bridge PATH\n" \
    "       sandboxd fs read|write|list|stat|delete|mkdir PATH\n"

static int complain(const char *message)
{
    if (write(2, message, strlen(message)) < 0) {
        /* nobody listens */
    }
    return EXIT_UNUSABLE;
}

/* Descriptors 0 to 2 must not become sockets, since children get their own there. */
static void fill_standard_streams(void)
{
    while (fcntl(2, F_GETFD) < 0 || fcntl(1, F_GETFD) < 0 || fcntl(0, F_GETFD) < 0)
        if (open("/dev/null", O_RDWR) < 0 && eventfd(0, 0) < 0)
            return;
}

/* What everything that runs here starts in. The image chose it, so it may be anything: then the root. */
static void enter(const char *directory)
{
    if (chdir(directory) != 0 && chdir("/") != 0) {
        /* it stays where it is */
    }
}

static int serve(int listening)
{
    if (listening < 0)
        return complain("sandboxd: there is no way to the host at that path\n");
    if (loop_open() != 0 || machine_open() != 0 || listener_open(listening) != 0)
        return complain("sandboxd: the kernel refuses what is needed\n");
    return loop_run();
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    prctl(PR_SET_DUMPABLE, 0);
    if (!strcmp(mode, "fs"))
        return fs_main(argc - 1, argv + 1);
    fill_standard_streams();
    if (!strcmp(mode, "bridge") && argc == 3)
        return bridge(argv[2]);
    spawn_raise_own_limits();
    bool boots = !strcmp(mode, "boot");
    if ((!boots && strcmp(mode, "listen") != 0) || argc < 3 || argc > 4)
        return complain(USAGE);
    if (argc == 4)
        enter(argv[3]);
    return serve(boots ? boot(argv[2]) : listener_bind(argv[2]));
}
