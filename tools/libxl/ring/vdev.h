/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vdev.h - a virtio device, between what it does (a block device, a source of
 * random numbers) and how it is reached (vhost-user, vfio-user).
 *
 * Owns:      its queues and its view of the guest's memory, which the transport
 *            fills. The device's own part lies behind user.
 * Thread:    loop thread only.
 * Rule:      a device touches a queue only through libxl__vdev_pop and
 *            libxl__vdev_push, so that a transport can quieten it: once quiet,
 *            nothing new is popped, and idle is called when all that was popped
 *            has been pushed.
 */
#ifndef LIBXL_VDEV_H
#define LIBXL_VDEV_H

#include "engine/egc.h"
#include "ring/devmig.h"
#include "ring/vq.h"

#define LIBXL__VDEV_MAX_QUEUES 16u
#define LIBXL__VDEV_CONFIG_MAX 256u

#define VIRTIO_F_RING_INDIRECT (UINT64_C(1) << 28)
#define VIRTIO_F_RING_EVENT_IDX (UINT64_C(1) << 29)
#define VIRTIO_F_ANY_LAYOUT (UINT64_C(1) << 27)
#define VIRTIO_F_MODERN (UINT64_C(1) << 32)

typedef struct libxl__vdev libxl__vdev;

struct libxl__vdev_ops {
    const char *name;
    uint16_t virtio_id;
    uint64_t features; /* of this kind of device; the ring's are added */
    /* config: LIBXL__VDEV_CONFIG_MAX bytes, zeroed */
    void (*get_config)(libxl__vdev *dev, uint8_t *config);
    /* The driver writes bytes at offset. false: that is not writable. */
    bool (*set_config)(libxl__vdev *dev, uint32_t offset, const uint8_t *data,
                       uint32_t bytes);
    /* There may be requests in queue q: pop until there are none. */
    void (*handle_output)(libxl__egc *egc, libxl__vdev *dev, unsigned q);
    /* The driver starts afresh; no request is held. */
    void (*reset)(libxl__vdev *dev);
};

/* A transport that keeps account of the requests under way, so that another
 * process can go on with them. */
struct libxl__vdev_track {
    /* The next one that an earlier device left undone; false: none (left). */
    bool (*again)(libxl__vdev *dev, unsigned q, uint16_t *head);
    void (*popped)(libxl__vdev *dev, unsigned q, uint16_t head);
    /* before, and after, the driver is told */
    void (*pushing)(libxl__vdev *dev, unsigned q, uint16_t head);
    void (*pushed)(libxl__vdev *dev, unsigned q, uint16_t head);
};

struct libxl__vdev {
    /* the device fills */
    const struct libxl__vdev_ops *ops;
    void *user;
    unsigned nr_queues;
    uint64_t features_off; /* of ops->features, what this one lacks */
    struct devmig mig;     /* of its own state, without rings; ops NULL: that
                              cannot be moved */
    /* the transport fills */
    void (*interrupt)(libxl__vdev *dev, unsigned q);
    void (*broken)(libxl__vdev *dev, unsigned q, const char *reason);
    void (*idle)(libxl__egc *egc, libxl__vdev *dev);
    const struct libxl__vdev_track *track; /* NULL: no account is kept */
    void *transport;
    /* shared */
    uint64_t features; /* what the driver took */
    struct libxl__ring_mem mem;
    struct libxl__vq queues[LIBXL__VDEV_MAX_QUEUES];
    bool enabled[LIBXL__VDEV_MAX_QUEUES];
    bool told_broken[LIBXL__VDEV_MAX_QUEUES];
    bool quiet;
};

/* ops, user, nr_queues and features_off are set; the rest is made ready. */
void libxl__vdev_init(libxl__vdev *dev);
uint64_t libxl__vdev_offered(const libxl__vdev *dev);
/* LIBXL__VQ_F_* for the features that the driver took. */
unsigned libxl__vdev_ring_flags(const libxl__vdev *dev);

/* ---- for devices ---- */
bool libxl__vdev_pop(libxl__vdev *dev, unsigned q, struct libxl__vq_elem *elem);
void libxl__vdev_push(libxl__vdev *dev, unsigned q,
                      const struct libxl__vq_elem *elem, uint32_t written);
/* A batch of pushes to queue q is over: interrupt if the driver wants it, and
 * tell a waiting transport when nothing is held. */
void libxl__vdev_pushed(libxl__egc *egc, libxl__vdev *dev, unsigned q);
void libxl__vdev_break(libxl__vdev *dev, unsigned q, const char *reason);

/* ---- for transports ---- */
/* idle will be called, perhaps from inside, and stay quiet until resume. */
void libxl__vdev_quieten(libxl__egc *egc, libxl__vdev *dev);
void libxl__vdev_resume(libxl__egc *egc, libxl__vdev *dev);
void libxl__vdev_kick(libxl__egc *egc, libxl__vdev *dev, unsigned q);
unsigned libxl__vdev_held(const libxl__vdev *dev);
/* Stops all queues and forgets the driver. Only while nothing is held. */
void libxl__vdev_reset(libxl__vdev *dev);

#endif
