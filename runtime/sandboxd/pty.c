#include "pty.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

static int open_by_number(int master)
{
    char path[] = "/dev/pts/0000000000";
    unsigned number;
    if (ioctl(master, TIOCGPTN, &number) != 0)
        return -1;
    char *at = path + strlen(path);
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    memmove(path + strlen("/dev/pts/"), at, strlen(at) + 1);
    return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static int open_slave(int master)
{
    int unlocked = 0;
    if (ioctl(master, TIOCSPTLCK, &unlocked) != 0)
        return -1;
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return slave >= 0 ? slave : open_by_number(master); /* for kernels that lack it */
}

/* The kernel's own settings, but backspace takes away a whole character of UTF-8. */
static void set_up(int slave)
{
    struct termios settings;
    if (tcgetattr(slave, &settings) != 0)
        return;
    settings.c_iflag |= IUTF8;
    tcsetattr(slave, TCSANOW, &settings);
}

bool pty_open(struct pty *pty, uint16_t cols, uint16_t rows)
{
    pty->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty->master < 0)
        return false;
    pty->slave = open_slave(pty->master);
    if (pty->slave < 0) {
        close(pty->master);
        return false;
    }
    set_up(pty->slave);
    pty_resize(pty->master, cols, rows);
    return true;
}

void pty_resize(int master, uint16_t cols, uint16_t rows)
{
    struct winsize size = {.ws_col = cols, .ws_row = rows};
    ioctl(master, TIOCSWINSZ, &size);
}

pid_t pty_foreground(int master)
{
    pid_t group;
    return master >= 0 && ioctl(master, TIOCGPGRP, &group) == 0 && group > 0 ? group : -1;
}
