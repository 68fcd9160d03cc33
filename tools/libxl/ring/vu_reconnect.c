/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vu_reconnect.c - the table of requests under way: made here, kept by the
 * frontend, given back after this process or the connection died.
 *
 * GET_INFLIGHT_FD (a new table) -> SET_INFLIGHT_FD -> rings start
 *     -> (death) -> SET_INFLIGHT_FD with the same table -> rings start, and do
 *     again what was not answered
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring/sigbus.h"
#include "ring/vu_internal.h"

static struct vu_inflight *table_of(libxl__vdev *dev, unsigned q)
{
    libxl__vhost_user *vu = dev->transport;

    return &vu->queues[q].inflight;
}

static bool again(libxl__vdev *dev, unsigned q, uint16_t *head)
{
    return libxl__vu_inflight_again(table_of(dev, q), head);
}

static void popped(libxl__vdev *dev, unsigned q, uint16_t head)
{
    libxl__vu_inflight_popped(table_of(dev, q), head);
}

static void pushing(libxl__vdev *dev, unsigned q, uint16_t head)
{
    libxl__vu_inflight_pushing(table_of(dev, q), head);
}

static void pushed(libxl__vdev *dev, unsigned q, uint16_t head)
{
    libxl__vu_inflight_pushed(table_of(dev, q), head,
                              dev->queues[q].used_idx);
}

static const struct libxl__vdev_track track = {
    .again = again,
    .popped = popped,
    .pushing = pushing,
    .pushed = pushed,
};

void libxl__vu_unmap_inflight(libxl__vhost_user *vu)
{
    vu->dev->track = NULL;
    for (unsigned q = 0; q < LIBXL__VDEV_MAX_QUEUES; q++)
        vu->queues[q].inflight = (struct vu_inflight){0};
    if (!vu->inflight_map)
        return;
    libxl__sigbus_unguard(vu->inflight_map);
    munmap(vu->inflight_map, vu->inflight_map_bytes);
    vu->inflight_map = NULL;
}

static const char *bad_room(const libxl__vhost_user *vu)
{
    const struct vu_inflight_info *info = &vu->msg.u.inflight;

    if (!info->queues || info->queues > vu->dev->nr_queues)
        return "an inflight table for queues that the device does not have";
    if (!info->queue_size || info->queue_size > LIBXL__VQ_MAX_SIZE)
        return "an inflight table for a size that no ring has";
    return NULL;
}

/* All zero; nobody can make it shorter. -1: cannot be had. */
static int new_table(uint64_t bytes)
{
    int fd = memfd_create("inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (!ftruncate(fd, (off_t)bytes) &&
        !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
        return fd;
    close(fd);
    return -1;
}

const char *libxl__vu_do_get_inflight_fd(libxl__egc *egc,
                                         libxl__vhost_user *vu)
{
    struct vu_inflight_info info = vu->msg.u.inflight;
    uint8_t out[VU_REPLY_MAX];
    const char *wrong = bad_room(vu);
    int fd;

    if (wrong)
        return wrong;
    info.mmap_bytes = info.queues * libxl__vu_inflight_bytes(info.queue_size);
    info.mmap_offset = 0;
    fd = new_table(info.mmap_bytes);
    if (fd < 0)
        return "a wish for an inflight table that there is no memory for";
    wrong = libxl__vu_send_fd(
        vu, out, libxl__vu_encode_inflight(out, vu->msg.h.bytes, &info), fd);
    close(fd);
    return wrong;
}

/* The parts of the queues, in the mapping. */
static const char *divide(libxl__vhost_user *vu,
                          const struct vu_inflight_info *info)
{
    uint8_t *at = (uint8_t *)vu->inflight_map + info->mmap_offset;
    const char *wrong;

    for (unsigned q = 0; q < info->queues; q++) {
        wrong = libxl__vu_inflight_check(at, info->queue_size);
        if (wrong)
            return wrong;
        vu->queues[q].inflight.at = at;
        vu->queues[q].inflight.size = info->queue_size;
        at += libxl__vu_inflight_bytes(info->queue_size);
    }
    return NULL;
}

const char *libxl__vu_do_set_inflight_fd(libxl__egc *egc,
                                         libxl__vhost_user *vu)
{
    const struct vu_inflight_info *info = &vu->msg.u.inflight;
    const char *wrong = bad_room(vu);
    uint64_t span;
    void *map;

    if (wrong)
        return wrong;
    if (libxl__vu_any_ring(vu))
        return "an inflight table for rings that run";
    if (info->mmap_offset % sizeof(uint64_t) ||
        __builtin_add_overflow(info->mmap_offset, info->mmap_bytes, &span))
        return "an inflight table that is not aligned, or wraps around";
    if (info->mmap_bytes <
        info->queues * libxl__vu_inflight_bytes(info->queue_size))
        return "an inflight table that is too short for its queues";
    map = libxl__vu_map_shared(vu->fds[0], span);
    if (!map)
        return "an inflight table that its file does not hold, or that cannot "
               "be mapped";
    if (libxl__sigbus_guard(map, span)) {
        munmap(map, span);
        return "an inflight table that cannot be guarded";
    }
    libxl__vu_unmap_inflight(vu);
    vu->inflight_map = map;
    vu->inflight_map_bytes = span;
    wrong = divide(vu, info);
    if (wrong) {
        libxl__vu_unmap_inflight(vu);
        return wrong;
    }
    vu->dev->track = &track;
    return NULL;
}

const char *libxl__vu_queue_go_on(libxl__vhost_user *vu, struct vu_queue *vq)
{
    struct libxl__vq *ring = &vu->dev->queues[vq->index];
    const char *wrong;

    if (!vu->inflight_map)
        return NULL;
    if (!vq->inflight.at)
        return "a ring that its inflight table does not have";
    wrong = libxl__vu_inflight_start(&vq->inflight, ring);
    if (wrong)
        return wrong;
    /* the one before us may have died between an answer and its interrupt */
    vu->dev->interrupt(vu->dev, vq->index);
    return NULL;
}
