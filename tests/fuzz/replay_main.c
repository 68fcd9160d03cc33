// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay_main.c - runs a fuzz target over files, without any fuzzing engine:
 * each file as it is, cut short at a few places, and with single bits turned,
 * always the same ones. A fault ends the program; TAP otherwise.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536
#define CUTS 64
#define TURNS 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_file(const char *path, uint8_t *buf)
{
    FILE *f = fopen(path, "rb");
    size_t n = 0;

    if (!f) {
        perror(path);
        exit(1);
    }
    n = fread(buf, 1, INPUT_MAX, f);
    fclose(f);
    return n;
}

/* A copy of exactly that size, so that a sanitizer sees any byte beyond it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void replay(const char *path)
{
    static uint8_t data[INPUT_MAX];
    size_t size = read_file(path, data);
    uint32_t random = 1;

    run(data, size);
    for (size_t i = 0; i < CUTS && i < size; i++)
        run(data, i * size / CUTS);
    for (size_t i = 0; i < TURNS && size; i++) {
        uint8_t bit;

        random = random * 1103515245u + 12345u;
        bit = (uint8_t)(1u << (random >> 28 & 7));
        data[(random >> 8) % size] ^= bit;
        run(data, size);
        data[(random >> 8) % size] ^= bit;
    }
}

int main(int argc, char **argv)
{
    unsigned n = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        struct dirent *e;

        while (dir && (e = readdir(dir))) {
            char path[4096];

            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
            replay(path);
            printf("ok %u - %s\n", ++n, e->d_name);
        }
        if (dir)
            closedir(dir);
    }
    printf("1..%u%s\n", n, n ? "" : " # SKIP no corpus");
    return 0;
}
