/* File operations with the rights of whoever runs them. */
#ifndef SANDBOXD_FS_H
#define SANDBOXD_FS_H

/* `argv` is fs, an operation, its arguments. Returns the exit status. */
int fs_main(int argc, char **argv);

#endif
