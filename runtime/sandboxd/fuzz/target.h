/* What a fuzzer calls with every input, by the name that libFuzzer knows too. */
#ifndef SANDBOXD_FUZZ_TARGET_H
#define SANDBOXD_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Ends the process when a promise is broken, whatever the build. */
#define PROMISE(condition) ((condition) ? (void)0 : promise_broken(#condition, __FILE__, __LINE__))

_Noreturn void promise_broken(const char *condition, const char *file, int line);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
