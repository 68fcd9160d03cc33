/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_xen_build.c - PLUGIN: what is in a new domain when it first runs, by
 * libxenguest's builder.
 *
 * Blocks while it reads the kernel: call it on a thread that may.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XC_WANT_COMPAT_MAP_FOREIGN_API 1
#include "host/host_xen_acpi.h"
#include "host/host_xen_priv.h"

#include <xen/hvm/hvm_info_table.h>
#include <xen/hvm/params.h>

#define GIB (UINT64_C(1) << 30)
#define PAGE_BYTES 4096u
#define PVH_HOLE (4 * GIB - UINT64_C(0xfee00000)) /* from the local APIC on */
#define HVM_HOLE (4 * GIB - UINT64_C(0xf0000000))
#define VGA_HOLE_PAGES 0x20u
#define ACPI_AT UINT64_C(0xfc000000)
#define SPECIAL_AT UINT64_C(0xfeff8000) /* the pages shared with the host */
#define SPECIAL_BYTES UINT64_C(0x8000)
#define E820_RAM_KIND 1u
#define E820_RESERVED_KIND 2u
#define E820_ACPI_KIND 3u
#define FIRMWARE_MAX (16u << 20)

struct build {
    struct libxl__xen_handle *h;
    const struct libxl__xen_image *im;
    struct libxl__xen_built *out;
    struct xc_dom_image *dom;
    uint8_t *firmware;
    uint8_t *acpi;
};

static int failed(struct build *b, const char *what)
{
    int e = errno > 0 ? errno : EIO;

    snprintf(b->out->why, sizeof(b->out->why), "%s: %s", what, strerror(e));
    return -e;
}

/* ---- before there is memory ---- */

static void lay_out(struct build *b)
{
    struct xc_dom_image *dom = b->dom;
    bool hvm = b->im->type == LIBXL__XEN_HVM;
    uint64_t bytes = b->im->memory_kb << 10;

    dom->mmio_size = hvm ? HVM_HOLE : PVH_HOLE;
    dom->mmio_start = 4 * GIB - dom->mmio_size;
    dom->lowmem_end = bytes;
    dom->highmem_end = 0;
    if (dom->lowmem_end > dom->mmio_start) {
        dom->highmem_end = 4 * GIB + (dom->lowmem_end - dom->mmio_start);
        dom->lowmem_end = dom->mmio_start;
    }
    dom->target_pages = b->im->target_kb >> 2;
    dom->vga_hole_size = hvm ? VGA_HOLE_PAGES : 0;
    dom->device_model = hvm;
}

static int load_firmware(struct build *b)
{
    struct stat st;
    int fd = open(b->im->bios, O_RDONLY | O_CLOEXEC), r = 0;

    if (fd < 0 || fstat(fd, &st))
        r = failed(b, b->im->bios);
    else if (st.st_size <= 0 || st.st_size > FIRMWARE_MAX)
        r = -EFBIG;
    if (!r) {
        b->firmware = malloc((size_t)st.st_size);
        if (!b->firmware)
            r = -ENOMEM;
        else if (read(fd, b->firmware, (size_t)st.st_size) != st.st_size)
            r = failed(b, b->im->bios);
    }
    if (fd >= 0)
        close(fd);
    if (r)
        return r;
    b->dom->system_firmware_module.data = b->firmware;
    b->dom->system_firmware_module.length = (uint32_t)st.st_size;
    return 0;
}

static int load_files(struct build *b)
{
    errno = 0;
    if (xc_dom_kernel_file(b->dom, b->im->kernel))
        return failed(b, b->im->kernel);
    if (b->im->ramdisk && xc_dom_module_file(b->dom, b->im->ramdisk, NULL))
        return failed(b, b->im->ramdisk);
    return b->im->bios ? load_firmware(b) : 0;
}

static int begin(struct build *b)
{
    xc_dom_loginit(b->h->xch);
    b->dom = xc_dom_allocate(b->h->xch, b->im->cmdline, NULL);
    if (!b->dom)
        return failed(b, "the domain builder");
    b->dom->container_type = b->im->type == LIBXL__XEN_PV
                                 ? XC_DOM_PV_CONTAINER
                                 : XC_DOM_HVM_CONTAINER;
    b->dom->console_evtchn = b->im->console_port;
    b->dom->xenstore_evtchn = b->im->store_port;
    b->dom->max_vcpus = b->im->vcpus;
    b->dom->claim_enabled = 1;
    if (b->im->type != LIBXL__XEN_PV)
        lay_out(b);
    return load_files(b);
}

/* ---- what the guest is told of its memory ---- */

static int describe(struct build *b)
{
    struct xc_dom_image *dom = b->dom;
    struct e820entry map[5] = {
        {0, dom->lowmem_end, E820_RAM_KIND},
        {SPECIAL_AT, SPECIAL_BYTES, E820_RESERVED_KIND},
    };
    unsigned n = 2;

    if (b->acpi)
        map[n++] = (struct e820entry){ACPI_AT, PAGE_BYTES, E820_ACPI_KIND};
    if (dom->highmem_end)
        map[n++] = (struct e820entry){4 * GIB, dom->highmem_end - 4 * GIB,
                                      E820_RAM_KIND};
    errno = 0;
    if (xc_domain_set_memory_map(b->h->xch, b->im->domid, map, n))
        return failed(b, "the memory map");
    /* the builder frees it with the rest of its image */
    dom->e820 = xc_dom_malloc(dom, sizeof(map));
    if (!dom->e820)
        return -ENOMEM;
    memcpy(dom->e820, map, sizeof(map));
    dom->e820_entries = n;
    return 0;
}

static int make_acpi(struct build *b)
{
    size_t bytes;

    b->acpi = malloc(LIBXL__XEN_ACPI_BYTES);
    if (!b->acpi)
        return -ENOMEM;
    bytes = libxl__xen_acpi_tables(b->acpi, ACPI_AT, b->im->vcpus);
    if (!bytes)
        return -ERANGE;
    b->dom->acpi_modules[0].data = b->acpi;
    b->dom->acpi_modules[0].length = (uint32_t)bytes;
    b->dom->acpi_modules[0].guest_addr_out = ACPI_AT;
    return 0;
}

static int make_memory(struct build *b)
{
    uint64_t kb = b->im->type == LIBXL__XEN_PV ? b->im->target_kb
                                               : b->im->memory_kb;
    int r = 0;

    errno = 0;
    if (xc_dom_boot_xen_init(b->dom, b->h->xch, b->im->domid) ||
        xc_dom_parse_image(b->dom))
        return failed(b, "the kernel cannot be started so");
    if (xc_dom_mem_init(b->dom, (unsigned)(kb >> 10)) ||
        xc_dom_boot_mem_init(b->dom))
        return failed(b, "no memory for the guest");
    if (b->im->type == LIBXL__XEN_PVH)
        r = make_acpi(b);
    if (!r && b->im->type != LIBXL__XEN_PV)
        r = describe(b);
    return r;
}

/* ---- the end ---- */

/* hvmloader reads it; the builder has filled in where memory ends. */
static int fill_hvm_info(struct build *b)
{
    struct hvm_info_table *info;
    uint8_t *page, sum = 0;

    errno = 0;
    page = xc_map_foreign_range(b->h->xch, b->im->domid, PAGE_BYTES,
                                PROT_READ | PROT_WRITE, HVM_INFO_PFN);
    if (!page)
        return failed(b, "hvmloader's information page");
    info = (struct hvm_info_table *)(page + HVM_INFO_OFFSET);
    info->apic_mode = b->im->apic;
    info->nr_vcpus = b->im->vcpus;
    memset(info->vcpu_online, 0, sizeof(info->vcpu_online));
    for (unsigned i = 0; i < b->im->vcpus && i < HVM_MAX_VCPUS; i++)
        info->vcpu_online[i / 8] |= (uint8_t)(1u << i % 8);
    info->checksum = 0;
    for (uint32_t i = 0; i < info->length; i++)
        sum = (uint8_t)(sum + ((uint8_t *)info)[i]);
    info->checksum = (uint8_t)(0u - sum);
    munmap(page, PAGE_BYTES);
    return 0;
}

static int set_ports(struct build *b)
{
    errno = 0;
    if (xc_hvm_param_set(b->h->xch, b->im->domid, HVM_PARAM_STORE_EVTCHN,
                         b->im->store_port) ||
        xc_hvm_param_set(b->h->xch, b->im->domid, HVM_PARAM_CONSOLE_EVTCHN,
                         b->im->console_port) ||
        xc_hvm_param_get(b->h->xch, b->im->domid, HVM_PARAM_STORE_PFN,
                         &b->out->store_gfn) ||
        xc_hvm_param_get(b->h->xch, b->im->domid, HVM_PARAM_CONSOLE_PFN,
                         &b->out->console_gfn))
        return failed(b, "the pages shared with the guest");
    return b->im->type == LIBXL__XEN_HVM ? fill_hvm_info(b) : 0;
}

static int boot(struct build *b)
{
    errno = 0;
    if (xc_dom_build_image(b->dom) || xc_dom_boot_image(b->dom))
        return failed(b, "the kernel cannot be put into memory");
    if (xc_dom_gnttab_init(b->dom))
        return failed(b, "the grant table");
    if (b->im->type != LIBXL__XEN_PV)
        return set_ports(b);
    b->out->store_gfn = xc_dom_p2m(b->dom, b->dom->xenstore_pfn);
    b->out->console_gfn = xc_dom_p2m(b->dom, b->dom->console_pfn);
    return 0;
}

int libxl__xen_call_build(struct libxl__xen_handle *h,
                          const struct libxl__xen_image *im,
                          struct libxl__xen_built *out)
{
    struct build b = {.h = h, .im = im, .out = out};
    int r;

    *out = (struct libxl__xen_built){0};
    r = begin(&b);
    if (!r)
        r = make_memory(&b);
    if (!r)
        r = boot(&b);
    if (b.dom)
        xc_dom_release(b.dom);
    free(b.firmware);
    free(b.acpi);
    return r;
}
