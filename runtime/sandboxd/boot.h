/* How a machine gets its socket from the host that shares a directory with it (PROTOCOL.md, section 5). */
#ifndef SANDBOXD_BOOT_H
#define SANDBOXD_BOOT_H

/* Hands a fresh socket to the host that listens on `path`. Returns that socket, listening, or -1 when the host did not
 * answer within 30 s. */
int boot(const char *path);

#endif
