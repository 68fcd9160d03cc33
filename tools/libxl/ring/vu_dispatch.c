/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vu_dispatch.c - what each vhost-user request does. One function a request,
 * in a const table; each returns NULL, or the rule that was broken. A request
 * that asked for an acknowledgement gets a failing one and keeps its
 * connection; any other broken rule ends it.
 */
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "ring/vq_layout.h"
#include "ring/vu_internal.h"

#define PROTOCOL_FEATURES                                                  \
    (UINT64_C(1) << VU_PF_MQ | UINT64_C(1) << VU_PF_LOG_SHMFD |            \
     UINT64_C(1) << VU_PF_REPLY_ACK | UINT64_C(1) << VU_PF_CONFIG |        \
     UINT64_C(1) << VU_PF_INFLIGHT_SHMFD |                                 \
     UINT64_C(1) << VU_PF_RESET_DEVICE |                                   \
     UINT64_C(1) << VU_PF_CONFIGURE_MEM_SLOTS)

static uint64_t protocol_offered(const libxl__vhost_user *vu)
{
    return PROTOCOL_FEATURES |
           (vu->dev->mig.ops ? UINT64_C(1) << VU_PF_DEVICE_STATE : 0);
}

static uint64_t offered(const libxl__vhost_user *vu)
{
    return libxl__vdev_offered(vu->dev) | UINT64_C(1) << VU_FEATURE_LOG_ALL |
           UINT64_C(1) << VU_FEATURE_PROTOCOL;
}

static bool has_protocol_features(const libxl__vhost_user *vu)
{
    return vu->dev->features >> VU_FEATURE_PROTOCOL & 1;
}

static struct vu_queue *queue_of(libxl__vhost_user *vu, uint32_t index)
{
    return index < vu->dev->nr_queues ? &vu->queues[index] : NULL;
}

static struct vu_queue *queue_of_kick(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct vu_queue, kick_ev);
}

static void on_kick(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                    short revents)
{
    struct vu_queue *vq = queue_of_kick(ev);
    uint64_t count;

    if (read(fd, &count, sizeof(count)) < 0 && revents & (POLLERR | POLLHUP))
        libxl__ev_fd_deregister(vq->vu->ctx, ev);
    libxl__vdev_kick(egc, vq->vu->dev, vq->index);
    if (libxl__vu_memory_lost(vq->vu))
        libxl__vu_close(egc, vq->vu, VU_MEMORY_LOST);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool libxl__vu_any_ring(const libxl__vhost_user *vu)
{
    for (unsigned q = 0; q < vu->dev->nr_queues; q++)
        if (vu->dev->queues[q].state != LIBXL__VQ_STOPPED)
            return true;
    return false;
}

void libxl__vu_queue_reset(libxl__vhost_user *vu, unsigned q)
{
    struct vu_queue *vq = &vu->queues[q];

    libxl__ev_fd_deregister(vu->ctx, &vq->kick_ev);
    close_fd(&vq->kick_fd);
    close_fd(&vq->call_fd);
    close_fd(&vq->err_fd);
    vq->kick_set = vq->addr_set = false;
    vq->num = 0;
    vq->base = 0;
}

/* A ring starts when all that it needs is there. */
static const char *try_start(libxl__egc *egc, libxl__vhost_user *vu,
                             struct vu_queue *vq)
{
    struct libxl__vq *ring = &vu->dev->queues[vq->index];
    struct libxl__vq_params p = {.size = (uint16_t)vq->num,
                                 .flags = libxl__vdev_ring_flags(vu->dev),
                                 .last_avail = vq->base};
    const char *wrong;

    if (!vq->kick_set || !vq->addr_set || !vq->num ||
        ring->state == LIBXL__VQ_LIVE)
        return NULL;
    if (ring->nr_held)
        return "a broken ring that is started again before it was stopped";
    if (vu->dev->mig.state != DEVMIG_RUNNING)
        return "a ring to start while the device's state is not whole";
    if (!libxl__vu_to_gpa(vu, vq->addr.desc,
                          (uint64_t)p.size * sizeof(struct vq_desc), &p.desc) ||
        !libxl__vu_to_gpa(vu, vq->addr.avail, VQ_AVAIL_BYTES(p.size),
                          &p.avail) ||
        !libxl__vu_to_gpa(vu, vq->addr.used, VQ_USED_BYTES(p.size), &p.used))
        return "a ring outside the shared memory";
    if (libxl__vq_setup(ring, &p))
        return "a ring of a size or alignment that no ring has";
    wrong = libxl__vu_queue_go_on(vu, vq);
    if (wrong) {
        libxl__vq_stop(ring);
        return wrong;
    }
    if (!has_protocol_features(vu))
        vu->dev->enabled[vq->index] = true;
    libxl__vdev_kick(egc, vu->dev, vq->index);
    return NULL;
}

static const char *do_get_features(libxl__egc *egc, libxl__vhost_user *vu)
{
    uint8_t out[VU_REPLY_MAX];

    return libxl__vu_send(
        vu, out, libxl__vu_encode_u64(out, vu->msg.h.request, offered(vu)));
}

static const char *do_set_features(libxl__egc *egc, libxl__vhost_user *vu)
{
    if (vu->msg.u.u64 & ~offered(vu))
        return "features that were not offered";
    vu->dev->features = vu->msg.u.u64;
    return NULL;
}

static const char *do_nothing(libxl__egc *egc, libxl__vhost_user *vu)
{
    return NULL;
}

static const char *do_reset(libxl__egc *egc, libxl__vhost_user *vu)
{
    libxl__vu_state_drop(&vu->state);
    libxl__vdev_reset(vu->dev);
    for (unsigned q = 0; q < vu->dev->nr_queues; q++)
        libxl__vu_queue_reset(vu, q);
    return NULL;
}

static const char *do_set_mem_table(libxl__egc *egc, libxl__vhost_user *vu)
{
    const struct vu_mem_table *t = &vu->msg.u.mem;
    const char *wrong = NULL;

    libxl__vu_unmap_all(vu);
    for (uint32_t i = 0; i < t->nr && !wrong; i++)
        wrong = libxl__vu_map(vu, &t->regions[i], vu->fds[i]);
    return wrong;
}

static const char *do_add_mem_reg(libxl__egc *egc, libxl__vhost_user *vu)
{
    return libxl__vu_map(vu, &vu->msg.u.region, vu->fds[0]);
}

static const char *do_rem_mem_reg(libxl__egc *egc, libxl__vhost_user *vu)
{
    return libxl__vu_unmap(vu, &vu->msg.u.region);
}

static const char *do_set_log_base(libxl__egc *egc, libxl__vhost_user *vu)
{
    const char *wrong = libxl__vu_map_log(vu, &vu->msg.u.log, vu->fds[0]);
    uint8_t out[VU_REPLY_MAX];

    if (wrong)
        return wrong;
    return libxl__vu_send(vu, out,
                          libxl__vu_encode_u64(out, vu->msg.h.request, 0));
}

static const char *do_set_vring_num(libxl__egc *egc, libxl__vhost_user *vu)
{
    struct vu_queue *vq = queue_of(vu, vu->msg.u.state.index);

    if (!vq)
        return "a queue that the device does not have";
    if (!vu->msg.u.state.num || vu->msg.u.state.num > LIBXL__VQ_MAX_SIZE)
        return "a ring of a size that no ring has";
    if (vu->dev->queues[vq->index].state == LIBXL__VQ_LIVE &&
        vq->num != vu->msg.u.state.num)
        return "a live ring's size changed";
    vq->num = vu->msg.u.state.num;
    return NULL;
}

static const char *do_set_vring_addr(libxl__egc *egc, libxl__vhost_user *vu)
{
    struct vu_queue *vq = queue_of(vu, vu->msg.u.addr.index);

    if (!vq)
        return "a queue that the device does not have";
    /* of a live ring only the wish to log may change */
    if (vu->dev->queues[vq->index].state == LIBXL__VQ_LIVE &&
        (vq->addr.desc != vu->msg.u.addr.desc ||
         vq->addr.avail != vu->msg.u.addr.avail ||
         vq->addr.used != vu->msg.u.addr.used))
        return "a live ring's addresses changed";
    vq->addr = vu->msg.u.addr;
    vq->addr_set = true;
    return try_start(egc, vu, vq);
}

static const char *do_set_vring_base(libxl__egc *egc, libxl__vhost_user *vu)
{
    struct vu_queue *vq = queue_of(vu, vu->msg.u.state.index);

    if (!vq)
        return "a queue that the device does not have";
    if (vu->msg.u.state.num > UINT16_MAX)
        return "a ring index of more than 16 bits";
    if (vu->dev->queues[vq->index].state == LIBXL__VQ_LIVE)
        return "a live ring's index changed";
    vq->base = (uint16_t)vu->msg.u.state.num;
    return NULL;
}

/* Stops the ring; nothing is held any more when this runs. */
static const char *do_get_vring_base(libxl__egc *egc, libxl__vhost_user *vu)
{
    struct vu_queue *vq = queue_of(vu, vu->msg.u.state.index);
    struct vu_vring_state reply;
    uint8_t out[VU_REPLY_MAX];
    struct libxl__vq *ring;

    if (!vq)
        return "a queue that the device does not have";
    ring = &vu->dev->queues[vq->index];
    if (ring->state != LIBXL__VQ_STOPPED)
        vq->base = libxl__vq_stop(ring);
    vq->kick_set = false;
    libxl__ev_fd_deregister(vu->ctx, &vq->kick_ev);
    close_fd(&vq->kick_fd);
    reply = (struct vu_vring_state){vq->index, vq->base};
    return libxl__vu_send(
        vu, out, libxl__vu_encode_state(out, vu->msg.h.request, &reply));
}

/* The queue of a SET_VRING_KICK, CALL or ERR, and its new fd (-1: none). */
static struct vu_queue *vring_fd(libxl__vhost_user *vu, int *fd)
{
    struct vu_queue *vq = queue_of(vu, vu->msg.u.u64 & VU_VRING_IDX_MASK);

    *fd = vq && vu->nr_fds ? libxl__vu_take_fd(vu, 0) : -1;
    return vq;
}

static const char *do_set_vring_kick(libxl__egc *egc, libxl__vhost_user *vu)
{
    int fd;
    struct vu_queue *vq = vring_fd(vu, &fd);

    if (!vq)
        return "a queue that the device does not have";
    libxl__ev_fd_deregister(vu->ctx, &vq->kick_ev);
    close_fd(&vq->kick_fd);
    vq->kick_fd = fd;
    vq->kick_set = true;
    if (fd >= 0 && libxl__ev_fd_register(vu->ctx, &vq->kick_ev, on_kick, fd,
                                         POLLIN))
        return "a kick fd that cannot be watched";
    return try_start(egc, vu, vq);
}

static const char *do_set_vring_call(libxl__egc *egc, libxl__vhost_user *vu)
{
    int fd;
    struct vu_queue *vq = vring_fd(vu, &fd);

    if (!vq)
        return "a queue that the device does not have";
    close_fd(&vq->call_fd);
    vq->call_fd = fd;
    /* what was done while there was no way to say so */
    if (fd >= 0 && vu->dev->queues[vq->index].state == LIBXL__VQ_LIVE)
        vu->dev->interrupt(vu->dev, vq->index);
    return NULL;
}

static const char *do_set_vring_err(libxl__egc *egc, libxl__vhost_user *vu)
{
    int fd;
    struct vu_queue *vq = vring_fd(vu, &fd);

    if (!vq)
        return "a queue that the device does not have";
    close_fd(&vq->err_fd);
    vq->err_fd = fd;
    return NULL;
}

static const char *do_get_protocol_features(libxl__egc *egc,
                                            libxl__vhost_user *vu)
{
    uint8_t out[VU_REPLY_MAX];

    return libxl__vu_send(vu, out,
                          libxl__vu_encode_u64(out, vu->msg.h.request,
                                               protocol_offered(vu)));
}

static const char *do_set_protocol_features(libxl__egc *egc,
                                            libxl__vhost_user *vu)
{
    if (vu->msg.u.u64 & ~protocol_offered(vu))
        return "protocol features that were not offered";
    vu->protocol_features = vu->msg.u.u64;
    return NULL;
}

static const char *do_get_queue_num(libxl__egc *egc, libxl__vhost_user *vu)
{
    uint8_t out[VU_REPLY_MAX];

    return libxl__vu_send(vu, out,
                          libxl__vu_encode_u64(out, vu->msg.h.request,
                                               vu->dev->nr_queues));
}

static const char *do_set_vring_enable(libxl__egc *egc, libxl__vhost_user *vu)
{
    struct vu_queue *vq = queue_of(vu, vu->msg.u.state.index);

    if (!vq)
        return "a queue that the device does not have";
    if (vu->msg.u.state.num > 1)
        return "a queue that is to be neither on nor off";
    vu->dev->enabled[vq->index] = vu->msg.u.state.num;
    libxl__vdev_kick(egc, vu->dev, vq->index);
    return NULL;
}

/* A device configuration is as long as a frontend likes: zero beyond its end. */
static const char *do_get_config(libxl__egc *egc, libxl__vhost_user *vu)
{
    struct vu_config *c = &vu->msg.u.config;
    uint8_t whole[LIBXL__VDEV_CONFIG_MAX] = {0};
    uint8_t out[VU_REPLY_MAX];

    if (c->offset > sizeof(whole) || c->bytes > sizeof(whole) - c->offset)
        return "a configuration access beyond 256 bytes";
    vu->dev->ops->get_config(vu->dev, whole);
    memcpy(c->data, whole + c->offset, c->bytes);
    return libxl__vu_send(vu, out, libxl__vu_encode_config(out, c));
}

static const char *do_set_config(libxl__egc *egc, libxl__vhost_user *vu)
{
    const struct vu_config *c = &vu->msg.u.config;

    if (!vu->dev->ops->set_config(vu->dev, c->offset, c->data, c->bytes))
        return "a write to configuration that is not writable";
    return NULL;
}

static const char *do_get_max_mem_slots(libxl__egc *egc, libxl__vhost_user *vu)
{
    uint8_t out[VU_REPLY_MAX];

    return libxl__vu_send(vu, out,
                          libxl__vu_encode_u64(out, vu->msg.h.request,
                                               LIBXL__RING_MAX_REGIONS));
}

static const char *do_set_device_state_fd(libxl__egc *egc,
                                          libxl__vhost_user *vu)
{
    bool saving = vu->msg.u.state_move.direction == VU_STATE_SAVE;
    uint8_t out[VU_REPLY_MAX];
    int r;

    if (!vu->dev->mig.ops)
        return "a wish for state that the device does not have";
    if (libxl__vu_any_ring(vu))
        return "a wish for the device's state while rings run";
    if (libxl__vu_state_busy(&vu->state))
        return "a wish for the device's state while it is being moved";
    r = libxl__vu_state_start(&vu->state, saving, libxl__vu_take_fd(vu, 0));
    return libxl__vu_send(
        vu, out,
        libxl__vu_encode_u64(out, vu->msg.h.request,
                             VU_STATE_NO_FD | (r ? VU_STATE_FAILED : 0)));
}

static const char *do_check_device_state(libxl__egc *egc,
                                         libxl__vhost_user *vu)
{
    int r = libxl__vu_state_check(&vu->state);
    uint8_t out[VU_REPLY_MAX];

    return libxl__vu_send(
        vu, out,
        libxl__vu_encode_u64(out, vu->msg.h.request, r ? VU_STATE_FAILED : 0));
}

typedef const char *handler(libxl__egc *egc, libxl__vhost_user *vu);
static handler *const handlers[] = {
    [VU_GET_FEATURES] = do_get_features,
    [VU_SET_FEATURES] = do_set_features,
    [VU_SET_OWNER] = do_nothing,
    [VU_RESET_OWNER] = do_reset,
    [VU_SET_MEM_TABLE] = do_set_mem_table,
    [VU_SET_LOG_BASE] = do_set_log_base,
    [VU_SET_LOG_FD] = do_nothing, /* only wakes a reader: ours polls */
    [VU_SET_VRING_NUM] = do_set_vring_num,
    [VU_SET_VRING_ADDR] = do_set_vring_addr,
    [VU_SET_VRING_BASE] = do_set_vring_base,
    [VU_GET_VRING_BASE] = do_get_vring_base,
    [VU_SET_VRING_KICK] = do_set_vring_kick,
    [VU_SET_VRING_CALL] = do_set_vring_call,
    [VU_SET_VRING_ERR] = do_set_vring_err,
    [VU_GET_PROTOCOL_FEATURES] = do_get_protocol_features,
    [VU_SET_PROTOCOL_FEATURES] = do_set_protocol_features,
    [VU_GET_QUEUE_NUM] = do_get_queue_num,
    [VU_SET_VRING_ENABLE] = do_set_vring_enable,
    [VU_SET_BACKEND_REQ_FD] = do_nothing, /* we never have a request */
    [VU_GET_CONFIG] = do_get_config,
    [VU_SET_CONFIG] = do_set_config,
    [VU_GET_INFLIGHT_FD] = libxl__vu_do_get_inflight_fd,
    [VU_SET_INFLIGHT_FD] = libxl__vu_do_set_inflight_fd,
    [VU_RESET_DEVICE] = do_reset,
    [VU_GET_MAX_MEM_SLOTS] = do_get_max_mem_slots,
    [VU_ADD_MEM_REG] = do_add_mem_reg,
    [VU_REM_MEM_REG] = do_rem_mem_reg,
    [VU_SET_DEVICE_STATE_FD] = do_set_device_state_fd,
    [VU_CHECK_DEVICE_STATE] = do_check_device_state,
};

const char *libxl__vu_dispatch(libxl__egc *egc, libxl__vhost_user *vu)
{
    const struct vu_msg *m = &vu->msg;
    bool ack = m->info->reply == VU_REPLY_ACK &&
               m->h.flags & VU_F_NEED_REPLY &&
               vu->protocol_features >> VU_PF_REPLY_ACK & 1;
    /* SET_PROTOCOL_FEATURES itself turns acknowledgements on for later ones */
    const char *wrong = handlers[m->h.request](egc, vu);
    uint8_t out[VU_REPLY_MAX];

    if (!ack)
        return wrong;
    if (wrong)
        vu->reason = wrong;
    return libxl__vu_send(
        vu, out, libxl__vu_encode_u64(out, m->h.request, wrong ? 1 : 0));
}
