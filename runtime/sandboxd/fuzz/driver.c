/* A small coverage-guided fuzzer: DRIVER SECONDS SEED [FILE...]. The files are the first inputs. Each input is a mutation of
 * one that reached code no other had; `trace` marks what was reached (-fsanitize-coverage=trace-pc). The same seed and
 * files give the same inputs. What breaks a promise, or is found by ASan or UBSan, is left in `crash-SEED`. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "target.h"

#define INPUTS_MOST 4096
#define SIZE_MOST 70000
#define MAP_SIZE 8192

static struct {
    uint8_t *data;
    size_t size;
} inputs[INPUTS_MOST];
static size_t input_count;
static uint64_t reached[MAP_SIZE / 8], known[MAP_SIZE / 8]; /* a byte for each place */
static uint64_t state;
static uint8_t current[SIZE_MOST];
static size_t current_size;
static unsigned long long seed;

void __sanitizer_cov_trace_pc(void);
void __asan_on_error(void);

/* Called by the code under test on every branch. */
void __sanitizer_cov_trace_pc(void)
{
    uintptr_t place = (uintptr_t)__builtin_return_address(0);
    ((uint8_t *)reached)[(place ^ place >> 13) % MAP_SIZE] = 1;
}

static void keep_crash(void)
{
    char name[64];
    snprintf(name, sizeof name, "crash-%llu", seed);
    FILE *file = fopen(name, "wb");
    if (file) {
        fwrite(current, 1, current_size, file);
        fclose(file);
    }
    fprintf(stderr, "the input is in %s\n", name);
}

void __asan_on_error(void)
{
    keep_crash();
}

void promise_broken(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, condition);
    keep_crash();
    abort();
}

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t below(size_t limit)
{
    return (size_t)(next_random() % limit);
}

static bool found_something(void)
{
    bool found = false;
    for (size_t i = 0; i < MAP_SIZE / 8; i++) {
        found |= (reached[i] & ~known[i]) != 0;
        known[i] |= reached[i];
    }
    return found;
}

static size_t places(void)
{
    size_t count = 0;
    for (size_t i = 0; i < MAP_SIZE; i++)
        count += ((const uint8_t *)known)[i];
    return count;
}

/* The copy is of the exact size, so that ASan sees the first byte that is read beyond it. */
static void run_current(void)
{
    uint8_t *copy = malloc(current_size ? current_size : 1);
    memcpy(copy, current, current_size);
    memset(reached, 0, sizeof reached);
    LLVMFuzzerTestOneInput(copy, current_size);
    if (found_something() && input_count < INPUTS_MOST) {
        inputs[input_count].data = copy;
        inputs[input_count++].size = current_size;
    } else {
        free(copy);
    }
}

static void load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return;
    current_size = fread(current, 1, sizeof current, file);
    fclose(file);
    run_current();
}

static void change_bytes(void)
{
    static const uint8_t telling[] = {0, 1, 4, 5, 64, 65, 127, 128, 254, 255};
    for (size_t i = 1 + below(4); i && current_size; i--) {
        size_t at = below(current_size);
        switch (below(3)) {
        case 0:
            current[at] ^= (uint8_t)(1u << below(8));
            break;
        case 1:
            current[at] = telling[below(sizeof telling)];
            break;
        default:
            current[at] = (uint8_t)next_random();
        }
    }
}

static void insert_piece(void)
{
    size_t from = below(input_count), size = inputs[from].size;
    size_t begin = size ? below(size) : 0, length = size - begin ? below(size - begin) + 1 : 0;
    size_t at = below(current_size + 1);
    if (current_size + length > SIZE_MOST)
        return;
    memmove(current + at + length, current + at, current_size - at);
    memcpy(current + at, inputs[from].data + begin, length);
    current_size += length;
}

static void remove_piece(void)
{
    if (!current_size)
        return;
    size_t at = below(current_size), length = below(current_size - at) + 1;
    memmove(current + at, current + at + length, current_size - at - length);
    current_size -= length;
}

static void invent(void)
{
    current_size = below(512);
    for (size_t i = 0; i < current_size; i++)
        current[i] = (uint8_t)next_random();
}

static void mutate(void)
{
    size_t from = below(input_count);
    current_size = inputs[from].size;
    memcpy(current, inputs[from].data, current_size);
    for (size_t i = 1 + below(3); i; i--) {
        switch (below(4)) {
        case 0:
            insert_piece();
            break;
        case 1:
            remove_piece();
            break;
        default:
            change_bytes();
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    time_t end = time(NULL) + atol(argv[1]);
    seed = strtoull(argv[2], NULL, 10);
    state = seed * 2654435761u + 88172645463325252u;
    run_current();
    for (int i = 3; i < argc; i++)
        load(argv[i]);
    unsigned long long count = 0;
    for (; (count & 255) || time(NULL) < end; count++) {
        if (below(8))
            mutate();
        else
            invent();
        run_current();
    }
    printf("%llu inputs, %zu kept, %zu places in the code reached, seed %llu\n", count, input_count, places(), seed);
    for (size_t i = 0; i < input_count; i++)
        free(inputs[i].data);
    return 0;
}
