/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The libxc reader over any bytes, as a Xen host's image of an HVM and of a PV
 * guest and as a QEMU host's, from a file and from a pipe: refuses or reads,
 * and what it read as a QEMU host's image can be saved and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hv/xc_hv_fake.h"
#include "stream/xc_sr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Room for the special pages of an HVM guest, below 4 GiB. */
#define XEN_PAGES 0x100000u
#define PV_PAGES 0x1000u
#define QEMU_PAGES 0x40u

enum kind { QEMU, HVM, PV, NR_KINDS };

static struct xc_hv *new_domain(enum kind kind)
{
    static const xc_pfn_t sizes[NR_KINDS] = {QEMU_PAGES, XEN_PAGES, PV_PAGES};
    struct xc_hv_fake_params p = {
        .nr_pfns = sizes[kind],
        .type = kind == PV ? XC_GUEST_PV : XC_GUEST_HVM,
        .qemu_host = kind == QEMU,
    };
    struct xc_hv *hv;

    if (xc_hv_fake_open(&p, &hv))
        abort();
    return hv;
}

static int read_into(struct xc_hv *hv, int fd)
{
    struct xc_sr_restore_params p = {.hv = hv, .fd = fd};
    struct xc_sr_restore_result result;

    return xc_sr_restore(&p, &result);
}

static int in_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("stream", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
        lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

/* The file's size must not matter: what fits into a pipe at once. */
static void through_pipe(const uint8_t *data, size_t size)
{
    struct xc_hv *hv = new_domain(QEMU);
    int pair[2];

    if (pipe(pair))
        abort();
    if (size <= 65536 && write(pair[1], data, size) != (ssize_t)size)
        abort();
    close(pair[1]);
    read_into(hv, pair[0]);
    close(pair[0]);
    xc_hv_close(hv);
}

static void save_and_read_again(struct xc_hv *hv)
{
    struct xc_sr_save_params p = {.hv = hv, .fd = in_file(NULL, 0)};
    struct xc_hv *copy = new_domain(QEMU);
    struct xc_sr_stats stats;

    if (xc_sr_save(&p, &stats) || lseek(p.fd, 0, SEEK_SET) != 0 ||
        read_into(copy, p.fd))
        abort();
    close(p.fd);
    xc_hv_close(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int kind = 0; kind < NR_KINDS; kind++) {
        struct xc_hv *hv = new_domain((enum kind)kind);
        int fd = in_file(data, size);

        if (read_into(hv, fd) == 0 && kind == QEMU)
            save_and_read_again(hv);
        close(fd);
        xc_hv_close(hv);
    }
    through_pipe(data, size);
    return 0;
}
