/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfu: conformance of the vfio-user server, over its socket: negotiation, DMA
 * maps, regions, interrupts, migration arcs, malformed messages.
 */
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring/vfu_client.h"
#include "ring/vpci_legacy.h"
#include "ring/vq_layout.h"

#define RW (VFU_DMA_F_READ | VFU_DMA_F_WRITE)

/* ---- negotiation ---- */

static void version_is_0_0_with_capabilities(void **state)
{
    struct vfu_client *c = *state;

    vfc_connect(c);
    vfc_version(c);
    assert_int_equal(libxl__vfu_get32(c->body), 0);
    assert_int_equal(c->body[c->body_bytes - 1], 0);
    assert_non_null(strstr((char *)c->body + 4, "max_data_xfer_size"));
}

static void version_without_capabilities_is_accepted(void **state)
{
    struct vfu_client *c = *state;

    vfc_connect(c);
    assert_int_equal(vfc_call(c, VFU_VERSION, "\0\0\1\0", 4, NULL, 0), 0);
}

static void version_of_another_major_is_refused(void **state)
{
    struct vfu_client *c = *state;

    vfc_connect(c);
    assert_int_equal(vfc_call(c, VFU_VERSION, "\1\0\0\0", 4, NULL, 0), EINVAL);
    vfc_version(c);
}

static void version_twice_is_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_call(c, VFU_VERSION, "\0\0\0\0", 4, NULL, 0), EINVAL);
}

static void version_whose_text_does_not_end_is_refused(void **state)
{
    struct vfu_client *c = *state;

    vfc_connect(c);
    assert_int_equal(vfc_call(c, VFU_VERSION, "\0\0\0\0{}", 6, NULL, 0), EINVAL);
}

static void version_with_two_ends_is_refused(void **state)
{
    struct vfu_client *c = *state;

    vfc_connect(c);
    assert_int_equal(vfc_call(c, VFU_VERSION, "\0\0\0\0\0{}\0", 8, NULL, 0),
                     EINVAL);
}

static void command_before_its_version_ends_the_connection(void **state)
{
    struct vfu_client *c = *state;

    vfc_connect(c);
    vfc_send(c, VFU_DEVICE_RESET, 16, 0, NULL, 0, NULL, 0);
    vfc_must_close(c, "before its version");
}

/* ---- malformed messages ---- */

static void size_below_the_header_ends_the_connection(void **state)
{
    struct vfu_client *c = *state;

    vfc_send(c, VFU_DEVICE_RESET, 15, 0, NULL, 0, NULL, 0);
    vfc_must_close(c, "shorter than its header");
}

static void size_of_4g_ends_the_connection(void **state)
{
    struct vfu_client *c = *state;

    vfc_send(c, VFU_REGION_WRITE, UINT32_MAX, 0, NULL, 0, NULL, 0);
    vfc_must_close(c, "more than 1 MiB");
}

static void reply_without_a_question_ends_the_connection(void **state)
{
    struct vfu_client *c = *state;

    vfc_send(c, VFU_DEVICE_RESET, 16, VFU_F_REPLY, NULL, 0, NULL, 0);
    vfc_must_close(c, "nothing asked for");
}

static void half_a_message_ends_the_connection(void **state)
{
    struct vfu_client *c = *state;

    vfc_send(c, VFU_REGION_READ, 32, 0, "half", 4, NULL, 0);
    shutdown(c->fd, SHUT_WR);
    vfc_must_close(c, "half a message");
}

static void commands_that_are_not_known_are_not_supported(void **state)
{
    static const uint16_t numbers[] = {0, 11, 12, 15, 19, 255, 0xffff};
    struct vfu_client *c = *state;

    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        assert_int_equal(vfc_call(c, numbers[i], NULL, 0, NULL, 0), ENOTSUP);
}

static void dirty_pages_of_2021_are_not_supported(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[8] = {8, 0, 0, 0, VFU_DIRTY_START};

    assert_int_equal(vfc_call(c, VFU_DIRTY_PAGES, body, 8, NULL, 0), ENOTSUP);
}

static void region_io_fds_are_not_supported(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[16] = {16};

    assert_int_equal(vfc_call(c, VFU_DEVICE_GET_REGION_IO_FDS, body, 16, NULL,
                              0), ENOTSUP);
}

/* Each command with a body one byte short and, where it is fixed, one long. */
static void lengths_that_no_command_has_are_refused(void **state)
{
    static const struct {
        uint16_t command;
        uint32_t min;
        bool fixed;
    } commands[] = {
        {VFU_DMA_MAP, 32, true},           {VFU_DMA_UNMAP, 24, false},
        {VFU_DEVICE_GET_INFO, 16, false},  {VFU_DEVICE_GET_REGION_INFO, 32, true},
        {VFU_DEVICE_GET_IRQ_INFO, 16, true}, {VFU_DEVICE_SET_IRQS, 20, false},
        {VFU_REGION_READ, 16, true},       {VFU_REGION_WRITE, 16, false},
        {VFU_DEVICE_FEATURE, 8, false},    {VFU_MIG_DATA_READ, 8, true},
        {VFU_MIG_DATA_WRITE, 8, false},
    };
    struct vfu_client *c = *state;
    uint8_t zeroes[64] = {0};

    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        assert_int_equal(vfc_call(c, commands[i].command, zeroes,
                                  commands[i].min - 1, NULL, 0), EINVAL);
        if (commands[i].fixed)
            assert_int_equal(vfc_call(c, commands[i].command, zeroes,
                                      commands[i].min + 1, NULL, 0), EINVAL);
    }
    assert_int_equal(vfc_call(c, VFU_DEVICE_RESET, zeroes, 1, NULL, 0), EINVAL);
}

static void fds_where_none_belong_are_refused_and_closed(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[16] = {16};

    assert_int_equal(vfc_call(c, VFU_DEVICE_GET_INFO, body, 16, &c->mem_fd, 1),
                     EINVAL);
}

static void more_fds_than_any_command_has_end_the_connection(void **state)
{
    struct vfu_client *c = *state;
    int fds[20];

    for (unsigned i = 0; i < 20; i++)
        fds[i] = c->mem_fd;
    vfc_send(c, VFU_DEVICE_RESET, 16, 0, NULL, 0, fds, 20);
    vfc_must_close(c, "more fds");
}

static void no_reply_is_obeyed(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[16 + 2] = {VPCI_QUEUE_SEL};

    libxl__vfu_put32(body + 12, 2);
    body[16] = 7;
    vfc_send(c, VFU_REGION_WRITE, 16 + sizeof(body), VFU_F_NO_REPLY, body,
             sizeof(body), NULL, 0);
    assert_int_equal(vfc_reg(c, VPCI_QUEUE_SEL, 2), 7);
}

/* ---- DMA maps ---- */

static void memory_is_mapped_and_unmapped(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[24];

    assert_int_equal(vfc_map(c, VFC_ADDR, VFC_MEM_BYTES, 0, RW, true), 0);
    libxl__vfu_put32(body, 24);
    libxl__vfu_put32(body + 4, 0);
    libxl__vfu_put64(body + 8, VFC_ADDR);
    libxl__vfu_put64(body + 16, VFC_MEM_BYTES);
    assert_int_equal(vfc_call(c, VFU_DMA_UNMAP, body, 24, NULL, 0), 0);
    assert_int_equal(c->body_bytes, 24);
    assert_int_equal(vfc_call(c, VFU_DMA_UNMAP, body, 24, NULL, 0), ENOENT);
}

static void all_is_unmapped_at_once(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[24] = {24, 0, 0, 0, VFU_DMA_UNMAP_F_ALL};

    assert_int_equal(vfc_map(c, VFC_ADDR, 4096, 0, RW, true), 0);
    assert_int_equal(vfc_map(c, VFC_ADDR + 4096, 4096, 4096, RW, true), 0);
    assert_int_equal(vfc_call(c, VFU_DMA_UNMAP, body, 24, NULL, 0), 0);
    assert_int_equal(vfc_map(c, VFC_ADDR, 8192, 0, RW, true), 0);
}

static void unmapping_all_and_a_range_is_refused(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[24] = {24, 0, 0, 0, VFU_DMA_UNMAP_F_ALL, 0, 0, 0, 1};

    assert_int_equal(vfc_call(c, VFU_DMA_UNMAP, body, 24, NULL, 0), EINVAL);
}

static void unmapping_with_a_bitmap_is_refused(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[24] = {24, 0, 0, 0, VFU_DMA_UNMAP_F_BITMAP};

    assert_int_equal(vfc_call(c, VFU_DMA_UNMAP, body, 24, NULL, 0), EINVAL);
}

static void unmapping_a_part_is_refused(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[24] = {24};

    assert_int_equal(vfc_map(c, VFC_ADDR, 8192, 0, RW, true), 0);
    libxl__vfu_put64(body + 8, VFC_ADDR);
    libxl__vfu_put64(body + 16, 4096);
    assert_int_equal(vfc_call(c, VFU_DMA_UNMAP, body, 24, NULL, 0), ENOENT);
}

static void a_mapping_without_an_fd_is_known(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_map(c, VFC_ADDR, 4096, 0, VFU_DMA_F_READ, false), 0);
    assert_int_equal(vfc_map(c, VFC_ADDR, 4096, 0, RW, true), EEXIST);
}

static void mappings_that_overlap_are_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_map(c, VFC_ADDR, 8192, 0, RW, true), 0);
    assert_int_equal(vfc_map(c, VFC_ADDR + 4096, 8192, 0, RW, true), EEXIST);
    assert_int_equal(vfc_map(c, VFC_ADDR - 4096, 8192, 0, RW, true), EEXIST);
    assert_int_equal(vfc_map(c, VFC_ADDR + 8192, 4096, 0, RW, true), 0);
}

static void a_mapping_of_nothing_is_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_map(c, VFC_ADDR, 0, 0, RW, true), EINVAL);
}

static void a_mapping_that_wraps_is_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_map(c, UINT64_MAX - 4095, 8192, 0, RW, true), EINVAL);
}

static void a_mapping_whose_offset_wraps_is_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_map(c, VFC_ADDR, 8192, UINT64_MAX - 4095, RW, true),
                     EINVAL);
}

static void a_mapping_beyond_its_file_is_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_map(c, VFC_ADDR, VFC_MEM_BYTES + 1, 0, RW, true),
                     EINVAL);
}

static void a_mapping_with_unknown_flags_is_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_map(c, VFC_ADDR, 4096, 0, 8, true), EINVAL);
}

static void more_mappings_than_the_table_holds_are_refused(void **state)
{
    struct vfu_client *c = *state;

    for (unsigned i = 0; i < LIBXL__RING_MAX_REGIONS; i++)
        assert_int_equal(vfc_map(c, VFC_ADDR + i * 4096, 4096, 0, RW, false),
                         0);
    assert_int_equal(vfc_map(c, 0, 4096, 0, RW, false), ENOSPC);
}

/* ---- information ---- */

static void device_has_nine_regions_and_five_interrupts(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[16] = {16};

    assert_int_equal(vfc_call(c, VFU_DEVICE_GET_INFO, body, 16, NULL, 0), 0);
    assert_int_equal(libxl__vfu_get32(c->body + 4), 3);
    assert_int_equal(libxl__vfu_get32(c->body + 8), 9);
    assert_int_equal(libxl__vfu_get32(c->body + 12), 5);
}

static uint64_t region_size(struct vfu_client *c, uint32_t index)
{
    uint8_t body[32] = {32};

    libxl__vfu_put32(body + 8, index);
    assert_int_equal(vfc_call(c, VFU_DEVICE_GET_REGION_INFO, body, 32, NULL, 0),
                     0);
    return libxl__vfu_get64(c->body + 16);
}

static void regions_have_their_sizes(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(region_size(c, 0), 512);
    for (uint32_t i = 1; i < 7; i++)
        assert_int_equal(region_size(c, i), 0);
    assert_int_equal(region_size(c, 7), 256);
    assert_int_equal(region_size(c, 8), 0);
}

static void a_region_beyond_the_last_is_refused(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[32] = {32};

    libxl__vfu_put32(body + 8, 9);
    assert_int_equal(vfc_call(c, VFU_DEVICE_GET_REGION_INFO, body, 32, NULL, 0),
                     EINVAL);
}

static uint32_t irq_count(struct vfu_client *c, uint32_t index)
{
    uint8_t body[16] = {16};

    libxl__vfu_put32(body + 8, index);
    if (vfc_call(c, VFU_DEVICE_GET_IRQ_INFO, body, 16, NULL, 0))
        return UINT32_MAX;
    return libxl__vfu_get32(c->body + 12);
}

static void intx_alone_has_a_vector(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(irq_count(c, 0), 1);
    for (uint32_t i = 1; i < 5; i++)
        assert_int_equal(irq_count(c, i), 0);
    assert_int_equal(irq_count(c, 5), UINT32_MAX);
}

/* ---- regions ---- */

static void configuration_has_the_identity(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_read(c, 7, 0, 256), 0);
    assert_int_equal(libxl__vfu_get32(c->body + 16), 0x10011af4);
    assert_int_equal(c->body[16 + 8], 0);    /* revision */
    assert_int_equal(c->body[16 + 0x2e], 2); /* subsystem: block */
    assert_int_equal(c->body[16 + 0x3d], 1); /* INTA */
}

static void a_bar_tells_its_size(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_write(c, 7, 0x10, "\xff\xff\xff\xff", 4), 0);
    assert_int_equal(vfc_read(c, 7, 0x10, 4), 0);
    assert_int_equal(libxl__vfu_get32(c->body + 16), 0xfffffe01);
}

static void identity_cannot_be_written(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_write(c, 7, 0, "\0\0\0\0", 4), 0);
    assert_int_equal(vfc_read(c, 7, 0, 4), 0);
    assert_int_equal(libxl__vfu_get32(c->body + 16), 0x10011af4);
}

static void accesses_outside_a_region_are_refused(void **state)
{
    static const struct {
        uint32_t region;
        uint64_t offset;
        uint32_t count;
    } bad[] = {
        {0, 512, 1}, {0, 511, 2},          {0, 0, 513}, {0, UINT64_MAX, 2},
        {0, 4, 0},   {1, 0, 4},            {6, 0, 1},   {7, 256, 1},
        {7, 255, 2}, {8, 0, 1},            {9, 0, 1},   {UINT32_MAX, 0, 1},
        {7, UINT64_MAX - 3, 8},            {0, 0, VFU_MAX_XFER},
    };
    struct vfu_client *c = *state;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(
            vfc_read(c, bad[i].region, bad[i].offset, bad[i].count), EINVAL);
    assert_int_equal(vfc_write(c, 0, 510, "abcd", 4), EINVAL);
    assert_int_equal(vfc_write(c, 7, 254, "abcd", 4), EINVAL);
}

static void a_read_of_more_than_1_mib_is_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_read(c, 0, 0, VFU_MAX_XFER + 1), EINVAL);
}

static void a_write_whose_count_lies_is_refused(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[20] = {VPCI_STATUS};

    libxl__vfu_put32(body + 12, 1);
    assert_int_equal(vfc_call(c, VFU_REGION_WRITE, body, 20, NULL, 0), EINVAL);
}

/* ---- the register file ---- */

static void a_queue_that_is_not_there_has_size_0(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_reg(c, VPCI_QUEUE_NUM, 2), VPCI_QUEUE_SIZE);
    vfc_set_reg(c, VPCI_QUEUE_SEL, 1, 2);
    assert_int_equal(vfc_reg(c, VPCI_QUEUE_NUM, 2), 0);
    vfc_set_reg(c, VPCI_QUEUE_PFN, 77, 4);
    assert_int_equal(vfc_reg(c, VPCI_QUEUE_PFN, 4), 0);
    vfc_set_reg(c, VPCI_QUEUE_SEL, 0xffff, 2);
    assert_int_equal(vfc_reg(c, VPCI_QUEUE_NUM, 2), 0);
}

static void features_never_offered_are_dropped(void **state)
{
    struct vfu_client *c = *state;
    uint32_t host = vfc_reg(c, VPCI_HOST_FEATURES, 4);

    vfc_set_reg(c, VPCI_GUEST_FEATURES, UINT32_MAX, 4);
    assert_int_equal(vfc_reg(c, VPCI_GUEST_FEATURES, 4), host);
}

static void read_only_registers_stay(void **state)
{
    struct vfu_client *c = *state;
    uint32_t host = vfc_reg(c, VPCI_HOST_FEATURES, 4);

    vfc_set_reg(c, VPCI_HOST_FEATURES, 0, 4);
    vfc_set_reg(c, VPCI_QUEUE_NUM, 5, 2);
    assert_int_equal(vfc_reg(c, VPCI_HOST_FEATURES, 4), host);
    assert_int_equal(vfc_reg(c, VPCI_QUEUE_NUM, 2), VPCI_QUEUE_SIZE);
}

static void a_write_over_two_registers_does_nothing(void **state)
{
    struct vfu_client *c = *state;

    vfc_set_reg(c, VPCI_QUEUE_SEL, 0x10005, 4);
    assert_int_equal(vfc_reg(c, VPCI_QUEUE_SEL, 2), 0);
    vfc_set_reg(c, VPCI_STATUS, 0x0101, 2);
    assert_int_equal(vfc_reg(c, VPCI_STATUS, 1), 0);
}

static void a_read_over_two_registers_gives_both(void **state)
{
    struct vfu_client *c = *state;

    vfc_set_reg(c, VPCI_QUEUE_SEL, 5, 2);
    vfc_set_reg(c, VPCI_STATUS, 3, 1);
    assert_int_equal(vfc_read(c, 0, VPCI_QUEUE_NUM, 8), 0);
    assert_int_equal(c->body[16 + 2], 5);
    assert_int_equal(c->body[16 + 6], 3);
}

static void status_0_resets(void **state)
{
    struct vfu_client *c = *state;

    vfc_set_reg(c, VPCI_GUEST_FEATURES, 1 << 28, 4);
    vfc_set_reg(c, VPCI_QUEUE_SEL, 9, 2);
    vfc_set_reg(c, VPCI_STATUS, 7, 1);
    vfc_set_reg(c, VPCI_STATUS, 0, 1);
    assert_int_equal(vfc_reg(c, VPCI_GUEST_FEATURES, 4), 0);
    assert_int_equal(vfc_reg(c, VPCI_QUEUE_SEL, 2), 0);
    assert_int_equal(vfc_reg(c, VPCI_STATUS, 1), 0);
}

static void the_capacity_is_read_at_any_width(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_reg(c, 0x14, 4), 2048);
    assert_int_equal(vfc_reg(c, 0x15, 1), 8);
    assert_int_equal(vfc_reg(c, 0x14, 2), 2048);
}

static void notify_of_a_queue_that_is_not_there_does_nothing(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_set_reg(c, VPCI_QUEUE_NOTIFY, 1, 2), 0);
    assert_int_equal(vfc_set_reg(c, VPCI_QUEUE_NOTIFY, 0xffff, 2), 0);
    assert_int_equal(vfc_set_reg(c, VPCI_QUEUE_NOTIFY, 0, 2), 0);
}

static void a_queue_beyond_memory_stays_dead(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_set_reg(c, VPCI_QUEUE_PFN, 0xffffffff, 4), 0);
    assert_int_equal(vfc_set_reg(c, VPCI_QUEUE_NOTIFY, 0, 2), 0);
    assert_int_equal(vfc_reg(c, VPCI_QUEUE_PFN, 4), 0xffffffff);
}

/* ---- a request, by hand: the queue of 256 at the start of memory ---- */

#define AVAIL 4096u
#define USED 8192u
#define DATA 12288u

static void start_queue(struct vfu_client *c)
{
    assert_int_equal(vfc_map(c, VFC_ADDR, VFC_MEM_BYTES, 0, RW, true), 0);
    assert_int_equal(vfc_irqs(c, VFU_IRQ_SET_EVENTFD | VFU_IRQ_SET_TRIGGER, 0, 0,
                              1, &c->irq_fd, 1), 0);
    assert_int_equal(vfc_set_reg(c, VPCI_QUEUE_PFN, VFC_ADDR / 4096, 4), 0);
}

static void put_desc(struct vfu_client *c, unsigned i, uint64_t addr,
                     uint32_t len, uint16_t flags, uint16_t next)
{
    struct vq_desc d = {htole64(addr), htole32(len), htole16(flags),
                        htole16(next)};

    memcpy(c->mem + i * sizeof(d), &d, sizeof(d));
}

static void read_sector(struct vfu_client *c, uint16_t n)
{
    uint16_t *avail = (uint16_t *)(c->mem + AVAIL);

    memset(c->mem + DATA, 0, 16);
    put_desc(c, 0, VFC_ADDR + DATA, 16, VQ_DESC_F_NEXT, 1);
    put_desc(c, 1, VFC_ADDR + DATA + 512, 512, VQ_DESC_F_NEXT | VQ_DESC_F_WRITE,
             2);
    put_desc(c, 2, VFC_ADDR + DATA + 16, 1, VQ_DESC_F_WRITE, 0);
    c->mem[DATA + 16] = 0xff;
    avail[2 + n] = 0;
    avail[1] = htole16((uint16_t)(n + 1));
    assert_int_equal(vfc_set_reg(c, VPCI_QUEUE_NOTIFY, 0, 2), 0);
}

static uint16_t used_idx(const struct vfu_client *c)
{
    uint16_t v;

    memcpy(&v, c->mem + USED + 2, 2);
    return le16toh(v);
}

/* Any command turns the loop. */
static void wait_used(struct vfu_client *c, uint16_t want)
{
    for (unsigned i = 0; i < 100000 && used_idx(c) != want; i++)
        vfc_reg(c, VPCI_QUEUE_NUM, 2);
    assert_int_equal(used_idx(c), want);
}

static void a_request_is_served_and_interrupts(void **state)
{
    struct vfu_client *c = *state;
    uint64_t count;

    start_queue(c);
    assert_int_equal(pwrite(c->image_fd, "sector 0", 8, 0), 8);
    read_sector(c, 0);
    wait_used(c, 1);
    assert_int_equal(c->mem[DATA + 16], 0);
    assert_memory_equal(c->mem + DATA + 512, "sector 0", 8);
    assert_int_equal(read(c->irq_fd, &count, sizeof(count)), sizeof(count));
    assert_int_equal(vfc_reg(c, VPCI_ISR, 1), 1);
    assert_int_equal(vfc_reg(c, VPCI_ISR, 1), 0);
}

static void a_masked_interrupt_comes_when_it_is_unmasked(void **state)
{
    struct vfu_client *c = *state;
    uint64_t count;

    start_queue(c);
    assert_int_equal(vfc_irqs(c, VFU_IRQ_SET_NONE | VFU_IRQ_SET_MASK, 0, 0, 1,
                              NULL, 0), 0);
    read_sector(c, 0);
    wait_used(c, 1);
    assert_int_equal(read(c->irq_fd, &count, sizeof(count)), -1);
    assert_int_equal(vfc_irqs(c, VFU_IRQ_SET_BOOL | VFU_IRQ_SET_UNMASK, 0, 0, 1,
                              NULL, 0), 0);
    assert_int_equal(read(c->irq_fd, &count, sizeof(count)), sizeof(count));
}

static void interrupt_settings_that_make_no_sense_are_refused(void **state)
{
    struct vfu_client *c = *state;
    static const uint32_t flags[] = {
        0, VFU_IRQ_SET_NONE, VFU_IRQ_SET_TRIGGER,
        VFU_IRQ_SET_NONE | VFU_IRQ_SET_BOOL | VFU_IRQ_SET_MASK,
        VFU_IRQ_SET_NONE | VFU_IRQ_SET_MASK | VFU_IRQ_SET_UNMASK,
        VFU_IRQ_SET_NONE | VFU_IRQ_SET_MASK | 64,
    };

    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        assert_int_equal(vfc_irqs(c, flags[i], 0, 0, 1, NULL, 0), EINVAL);
}

static void interrupts_out_of_range_are_refused(void **state)
{
    struct vfu_client *c = *state;
    uint32_t f = VFU_IRQ_SET_NONE | VFU_IRQ_SET_MASK;

    assert_int_equal(vfc_irqs(c, f, 5, 0, 1, NULL, 0), EINVAL);
    assert_int_equal(vfc_irqs(c, f, 0, 1, 1, NULL, 0), EINVAL);
    assert_int_equal(vfc_irqs(c, f, 0, 0, 2, NULL, 0), EINVAL);
    assert_int_equal(vfc_irqs(c, f, 0, UINT32_MAX, 2, NULL, 0), EINVAL);
    assert_int_equal(vfc_irqs(c, f, 2, 0, 1, NULL, 0), EINVAL);
}

static void more_fds_than_interrupts_are_refused(void **state)
{
    struct vfu_client *c = *state;
    int fds[2] = {c->irq_fd, c->irq_fd};

    assert_int_equal(vfc_irqs(c, VFU_IRQ_SET_EVENTFD | VFU_IRQ_SET_TRIGGER, 0, 0,
                              1, fds, 2), EINVAL);
}

static void a_client_can_trigger_an_interrupt_itself(void **state)
{
    struct vfu_client *c = *state;
    uint64_t count;

    start_queue(c);
    assert_int_equal(vfc_irqs(c, VFU_IRQ_SET_NONE | VFU_IRQ_SET_TRIGGER, 0, 0, 1,
                              NULL, 0), 0);
    assert_int_equal(read(c->irq_fd, &count, sizeof(count)), sizeof(count));
}

static void interrupts_are_switched_off_by_a_count_of_0(void **state)
{
    struct vfu_client *c = *state;
    uint64_t count;

    start_queue(c);
    assert_int_equal(vfc_irqs(c, VFU_IRQ_SET_NONE | VFU_IRQ_SET_TRIGGER, 0, 0, 0,
                              NULL, 0), 0);
    read_sector(c, 0);
    wait_used(c, 1);
    assert_int_equal(read(c->irq_fd, &count, sizeof(count)), -1);
}

static void a_reset_forgets_the_queue(void **state)
{
    struct vfu_client *c = *state;

    start_queue(c);
    assert_int_equal(vfc_call(c, VFU_DEVICE_RESET, NULL, 0, NULL, 0), 0);
    assert_int_equal(vfc_reg(c, VPCI_QUEUE_PFN, 4), 0);
}

static void memory_truncated_ends_the_connection(void **state)
{
    struct vfu_client *c = *state;
    uint8_t body[18] = {VPCI_QUEUE_NOTIFY};

    start_queue(c);
    assert_int_equal(ftruncate(c->mem_fd, 0), 0);
    libxl__vfu_put32(body + 12, 2);
    vfc_send(c, VFU_REGION_WRITE, 34, VFU_F_NO_REPLY, body, 18, NULL, 0);
    vfc_must_close(c, "truncated");
}

/* ---- migration ---- */

static void migration_is_offered(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_feature(c, VFU_FEATURE_MIGRATION | VFU_FEATURE_GET,
                                 NULL, 0), 0);
    assert_int_equal(libxl__vfu_get64(c->body + 8), 5);
    assert_int_equal(vfc_state(c), DEVMIG_RUNNING);
}

static void features_that_are_not_there_are_told(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_feature(c, 3 | VFU_FEATURE_GET, NULL, 0), ENOTTY);
    assert_int_equal(vfc_feature(c, 0xffff | VFU_FEATURE_PROBE |
                                 VFU_FEATURE_GET, NULL, 0), ENOTTY);
    assert_int_equal(vfc_feature(c, VFU_FEATURE_MIGRATION | VFU_FEATURE_SET,
                                 NULL, 0), ENOTTY);
    assert_int_equal(vfc_feature(c, VFU_FEATURE_LOG_START | VFU_FEATURE_GET,
                                 NULL, 0), ENOTTY);
}

static void a_probe_changes_nothing(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_feature(c, VFU_FEATURE_MIG_STATE | VFU_FEATURE_PROBE |
                                 VFU_FEATURE_GET | VFU_FEATURE_SET, NULL, 0),
                     0);
    assert_int_equal(vfc_state(c), DEVMIG_RUNNING);
}

static void feature_requests_that_make_no_sense_are_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_feature(c, VFU_FEATURE_MIGRATION, NULL, 0), EINVAL);
    assert_int_equal(vfc_feature(c, VFU_FEATURE_MIG_STATE | VFU_FEATURE_GET |
                                 VFU_FEATURE_SET, NULL, 0), EINVAL);
    assert_int_equal(vfc_feature(c, 1u << 20 | VFU_FEATURE_GET, NULL, 0),
                     EINVAL);
    assert_int_equal(vfc_feature(c, VFU_FEATURE_MIG_STATE | VFU_FEATURE_SET,
                                 "abcd", 4), EINVAL);
}

static void every_arc_goes_where_the_table_says(void **state)
{
    static const uint8_t walk[] = {DEVMIG_STOP,     DEVMIG_STOP_COPY,
                                   DEVMIG_STOP,     DEVMIG_RUNNING,
                                   DEVMIG_PRE_COPY, DEVMIG_RUNNING,
                                   DEVMIG_PRE_COPY, DEVMIG_STOP_COPY,
                                   DEVMIG_RUNNING};
    struct vfu_client *c = *state;

    for (unsigned i = 0; i < sizeof(walk); i++) {
        assert_int_equal(vfc_set_state(c, walk[i]), 0);
        assert_int_equal(vfc_state(c), walk[i]);
    }
}

static void stop_copy_to_pre_copy_is_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_set_state(c, DEVMIG_STOP_COPY), 0);
    assert_int_equal(vfc_set_state(c, DEVMIG_PRE_COPY), EINVAL);
    assert_int_equal(vfc_state(c), DEVMIG_STOP_COPY);
}

static void states_that_nobody_may_ask_for_are_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_set_state(c, 0), EINVAL);
    assert_int_equal(vfc_set_state(c, 5), EINVAL);
    assert_int_equal(vfc_set_state(c, 7), EINVAL);
    assert_int_equal(vfc_set_state(c, 8), EINVAL);
    assert_int_equal(vfc_set_state(c, UINT32_MAX), EINVAL);
}

static uint32_t mig_read(struct vfu_client *c, uint32_t bytes)
{
    uint8_t body[8];

    libxl__vfu_put32(body, 8 + bytes);
    libxl__vfu_put32(body + 4, bytes);
    return vfc_call(c, VFU_MIG_DATA_READ, body, 8, NULL, 0);
}

static uint32_t mig_write(struct vfu_client *c, const uint8_t *data,
                          uint32_t bytes)
{
    uint8_t body[1024];

    libxl__vfu_put32(body, 8 + bytes);
    libxl__vfu_put32(body + 4, bytes);
    memcpy(body + 8, data, bytes);
    return vfc_call(c, VFU_MIG_DATA_WRITE, body, 8 + bytes, NULL, 0);
}

/* The whole state of the device, stopped. */
static uint32_t take_state(struct vfu_client *c, uint8_t out[1024])
{
    uint32_t n;

    assert_int_equal(vfc_set_state(c, DEVMIG_STOP_COPY), 0);
    assert_int_equal(mig_read(c, 1000), 0);
    n = libxl__vfu_get32(c->body + 4);
    memcpy(out, c->body + 8, n);
    assert_int_equal(mig_read(c, 1000), 0);
    assert_int_equal(libxl__vfu_get32(c->body + 4), 0);
    return n;
}

static void data_moves_in_its_states_alone(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(mig_read(c, 16), EINVAL);
    assert_int_equal(mig_write(c, (const uint8_t *)"x", 1), EINVAL);
    assert_int_equal(vfc_set_state(c, DEVMIG_STOP), 0);
    assert_int_equal(mig_read(c, 16), EINVAL);
}

static void a_running_device_has_nothing_to_read_yet(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(vfc_set_state(c, DEVMIG_PRE_COPY), 0);
    assert_int_equal(mig_read(c, 16), 0);
    assert_int_equal(libxl__vfu_get32(c->body + 4), 0);
}

static void a_stopped_device_serves_nothing(void **state)
{
    struct vfu_client *c = *state;

    start_queue(c);
    assert_int_equal(vfc_set_state(c, DEVMIG_STOP), 0);
    read_sector(c, 0);
    vfc_reg(c, VPCI_QUEUE_NUM, 2);
    assert_int_equal(used_idx(c), 0);
    assert_int_equal(vfc_set_state(c, DEVMIG_RUNNING), 0);
    wait_used(c, 1);
}

static void state_goes_to_another_device_in_small_pieces(void **state)
{
    struct vfu_client *c = *state;
    uint8_t bytes[1024];
    uint32_t n;

    start_queue(c);
    vfc_set_reg(c, VPCI_STATUS, 7, 1);
    for (uint16_t i = 0; i < 3; i++) {
        read_sector(c, i);
        wait_used(c, (uint16_t)(i + 1));
    }
    n = take_state(c, bytes);
    assert_int_equal(n, 256 + VPCI_STATE_BYTES);
    assert_int_equal(vfc_call(c, VFU_DEVICE_RESET, NULL, 0, NULL, 0), 0);

    assert_int_equal(vfc_set_state(c, DEVMIG_RESUMING), 0);
    for (uint32_t at = 0; at < n; at += 100)
        assert_int_equal(mig_write(c, bytes + at, n - at < 100 ? n - at : 100),
                         0);
    assert_int_equal(vfc_set_state(c, DEVMIG_RUNNING), 0);
    assert_int_equal(vfc_reg(c, VPCI_STATUS, 1), 7);
    read_sector(c, 3);
    wait_used(c, 4);
}

/* One byte of a good state changed: the device refuses it, all of it. */
static void load_must_fail(struct vfu_client *c, uint32_t at, uint8_t value,
                           uint32_t cut)
{
    uint8_t bytes[1024];
    uint32_t n;

    start_queue(c);
    n = take_state(c, bytes);
    bytes[at] = value;
    assert_int_equal(vfc_set_state(c, DEVMIG_RESUMING), 0);
    assert_int_equal(mig_write(c, bytes, n - cut), 0);
    assert_int_equal(vfc_set_state(c, DEVMIG_RUNNING), EPROTO);
    assert_int_equal(vfc_state(c), DEVMIG_RESUMING);
}

static void state_of_another_kind_is_refused(void **state)
{
    load_must_fail(*state, 256, 'X', 0);
}

static void state_of_another_version_is_refused(void **state)
{
    load_must_fail(*state, 256 + 4, 9, 0);
}

static void state_with_features_of_another_device_is_refused(void **state)
{
    load_must_fail(*state, 256 + 11, 0x80, 0);
}

static void state_with_another_number_of_queues_is_refused(void **state)
{
    load_must_fail(*state, 256 + 18, 2, 0);
}

static void state_with_a_ring_outside_memory_is_refused(void **state)
{
    load_must_fail(*state, 256 + 24 + 3, 0xf0, 0);
}

static void state_that_is_not_whole_is_refused(void **state)
{
    load_must_fail(*state, 0, 0xf4, 1);
}

static void state_that_is_too_long_is_refused(void **state)
{
    struct vfu_client *c = *state;
    uint8_t bytes[1024] = {0};

    assert_int_equal(vfc_set_state(c, DEVMIG_RESUMING), 0);
    assert_int_equal(mig_write(c, bytes, 256 + VPCI_STATE_BYTES), 0);
    assert_int_equal(mig_write(c, bytes, 1), EPROTO);
}

/* ---- dirty logging ---- */

static uint32_t log_start(struct vfu_client *c, uint64_t page)
{
    uint8_t data[16] = {0};

    libxl__vfu_put64(data, page);
    return vfc_feature(c, VFU_FEATURE_LOG_START | VFU_FEATURE_SET, data, 16);
}

static uint32_t log_report(struct vfu_client *c, uint64_t addr, uint64_t bytes)
{
    uint8_t data[24];

    libxl__vfu_put64(data, addr);
    libxl__vfu_put64(data + 8, bytes);
    libxl__vfu_put64(data + 16, 4096);
    return vfc_feature(c, VFU_FEATURE_LOG_REPORT | VFU_FEATURE_GET, data, 24);
}

static void what_was_written_is_reported_once(void **state)
{
    struct vfu_client *c = *state;

    start_queue(c);
    assert_int_equal(log_start(c, 4096), 0);
    read_sector(c, 0);
    wait_used(c, 1);
    assert_int_equal(log_report(c, VFC_ADDR, VFC_MEM_BYTES), 0);
    /* the used ring (page 2) and the data (page 3) */
    assert_int_equal(libxl__vfu_get64(c->body + 8 + 24), 1 << 2 | 1 << 3);
    assert_int_equal(log_report(c, VFC_ADDR, VFC_MEM_BYTES), 0);
    assert_int_equal(libxl__vfu_get64(c->body + 8 + 24), 0);
    assert_int_equal(vfc_feature(c, VFU_FEATURE_LOG_STOP | VFU_FEATURE_SET, NULL,
                                 0), 0);
    assert_int_equal(log_report(c, VFC_ADDR, VFC_MEM_BYTES), EINVAL);
}

static void logging_requests_that_make_no_sense_are_refused(void **state)
{
    struct vfu_client *c = *state;

    assert_int_equal(log_start(c, 4096), EINVAL); /* there is no memory */
    start_queue(c);
    assert_int_equal(log_start(c, 8192), EINVAL);
    assert_int_equal(vfc_feature(c, VFU_FEATURE_LOG_STOP | VFU_FEATURE_SET, NULL,
                                 0), EINVAL);
    assert_int_equal(log_start(c, 4096), 0);
    assert_int_equal(log_start(c, 4096), EBUSY);
    assert_int_equal(log_report(c, VFC_ADDR + 1, 4096), EINVAL);
    assert_int_equal(log_report(c, VFC_ADDR, 0), EINVAL);
    assert_int_equal(log_report(c, UINT64_MAX - 4095, 1 << 30), EINVAL);
    assert_int_equal(log_report(c, 0, UINT64_C(1) << 50), EINVAL);
}

static void a_client_that_comes_back_finds_the_device(void **state)
{
    struct vfu_client *c = *state;

    vfc_set_reg(c, VPCI_STATUS, 3, 1);
    vfc_connect(c);
    vfc_version(c);
    assert_int_equal(vfc_reg(c, VPCI_STATUS, 1), 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, vfc_setup, vfc_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(version_is_0_0_with_capabilities),
        T(version_without_capabilities_is_accepted),
        T(version_of_another_major_is_refused),
        T(version_twice_is_refused),
        T(version_whose_text_does_not_end_is_refused),
        T(version_with_two_ends_is_refused),
        T(command_before_its_version_ends_the_connection),
        T(size_below_the_header_ends_the_connection),
        T(size_of_4g_ends_the_connection),
        T(reply_without_a_question_ends_the_connection),
        T(half_a_message_ends_the_connection),
        T(commands_that_are_not_known_are_not_supported),
        T(dirty_pages_of_2021_are_not_supported),
        T(region_io_fds_are_not_supported),
        T(lengths_that_no_command_has_are_refused),
        T(fds_where_none_belong_are_refused_and_closed),
        T(more_fds_than_any_command_has_end_the_connection),
        T(no_reply_is_obeyed),
        T(memory_is_mapped_and_unmapped),
        T(all_is_unmapped_at_once),
        T(unmapping_all_and_a_range_is_refused),
        T(unmapping_with_a_bitmap_is_refused),
        T(unmapping_a_part_is_refused),
        T(a_mapping_without_an_fd_is_known),
        T(mappings_that_overlap_are_refused),
        T(a_mapping_of_nothing_is_refused),
        T(a_mapping_that_wraps_is_refused),
        T(a_mapping_whose_offset_wraps_is_refused),
        T(a_mapping_beyond_its_file_is_refused),
        T(a_mapping_with_unknown_flags_is_refused),
        T(more_mappings_than_the_table_holds_are_refused),
        T(device_has_nine_regions_and_five_interrupts),
        T(regions_have_their_sizes),
        T(a_region_beyond_the_last_is_refused),
        T(intx_alone_has_a_vector),
        T(configuration_has_the_identity),
        T(a_bar_tells_its_size),
        T(identity_cannot_be_written),
        T(accesses_outside_a_region_are_refused),
        T(a_read_of_more_than_1_mib_is_refused),
        T(a_write_whose_count_lies_is_refused),
        T(a_queue_that_is_not_there_has_size_0),
        T(features_never_offered_are_dropped),
        T(read_only_registers_stay),
        T(a_write_over_two_registers_does_nothing),
        T(a_read_over_two_registers_gives_both),
        T(status_0_resets),
        T(the_capacity_is_read_at_any_width),
        T(notify_of_a_queue_that_is_not_there_does_nothing),
        T(a_queue_beyond_memory_stays_dead),
        T(a_request_is_served_and_interrupts),
        T(a_masked_interrupt_comes_when_it_is_unmasked),
        T(interrupt_settings_that_make_no_sense_are_refused),
        T(interrupts_out_of_range_are_refused),
        T(more_fds_than_interrupts_are_refused),
        T(a_client_can_trigger_an_interrupt_itself),
        T(interrupts_are_switched_off_by_a_count_of_0),
        T(a_reset_forgets_the_queue),
        T(memory_truncated_ends_the_connection),
        T(migration_is_offered),
        T(features_that_are_not_there_are_told),
        T(a_probe_changes_nothing),
        T(feature_requests_that_make_no_sense_are_refused),
        T(every_arc_goes_where_the_table_says),
        T(stop_copy_to_pre_copy_is_refused),
        T(states_that_nobody_may_ask_for_are_refused),
        T(data_moves_in_its_states_alone),
        T(a_running_device_has_nothing_to_read_yet),
        T(a_stopped_device_serves_nothing),
        T(state_goes_to_another_device_in_small_pieces),
        T(state_of_another_kind_is_refused),
        T(state_of_another_version_is_refused),
        T(state_with_features_of_another_device_is_refused),
        T(state_with_another_number_of_queues_is_refused),
        T(state_with_a_ring_outside_memory_is_refused),
        T(state_that_is_not_whole_is_refused),
        T(state_that_is_too_long_is_refused),
        T(what_was_written_is_reported_once),
        T(logging_requests_that_make_no_sense_are_refused),
        T(a_client_that_comes_back_finds_the_device),
    };
    return cmocka_run_group_tests_name("vfio_user", tests, NULL, NULL);
}
