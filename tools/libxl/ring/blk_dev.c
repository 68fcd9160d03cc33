/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blk_dev.c - requests of a virtio block device.
 *
 * handle_output -> take (pop, parse) -> start -> io submit ... io flush
 *     -> job_done -> (next segment) -> finish (push) -> libxl__vdev_pushed
 * Interrupts are sent once a batch: at the end of handle_output, or when
 * completions come by themselves.
 */
#include "ring/blk_dev.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "ring/blk_req.h"

#define F_SEG_MAX (UINT64_C(1) << 2)
#define F_RO (UINT64_C(1) << 5)
#define F_BLK_SIZE (UINT64_C(1) << 6)
#define F_FLUSH (UINT64_C(1) << 9)
#define F_MQ (UINT64_C(1) << 12)
#define F_DISCARD (UINT64_C(1) << 13)
#define F_WRITE_ZEROES (UINT64_C(1) << 14)

#define SEG_MAX 126u
#define MAX_DISCARD_SECTORS (1u << 22)

/* virtio 1.2, 5.2.4, little-endian */
struct blk_config {
    uint64_t capacity;
    uint32_t size_max, seg_max;
    uint16_t cylinders;
    uint8_t heads, sectors;
    uint32_t blk_size;
    uint8_t physical_block_exp, alignment_offset;
    uint16_t min_io_size;
    uint32_t opt_io_size;
    uint8_t writeback, unused0;
    uint16_t num_queues;
    uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
    uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap, unused1[3];
} __attribute__((packed));
_Static_assert(sizeof(struct blk_config) == 60, "virtio 5.2.4");

struct request {
    libxl__blk_dev *blk;
    struct request *next_free;
    unsigned q;
    unsigned segment; /* of a discard or write zeroes: under way */
    struct blk_req req;
    struct blk_job job;
    struct libxl__vq_elem elem;
};

struct libxl__blk_dev {
    libxl_ctx *ctx;
    struct libxl__blk_params p;
    libxl__vdev dev;
    libxl__blk_io *io;
    struct request *free_list;
    bool batching;    /* inside handle_output: interrupts wait */
    unsigned pushed;  /* bit a queue: pushed since its last interrupt */
};

static libxl__blk_dev *blk_of_dev(libxl__vdev *dev)
{
    return dev->user;
}

static struct request *request_of_job(struct blk_job *job)
{
    return CONTAINER_OF(job, struct request, job);
}

static struct request *request_get(libxl__blk_dev *blk)
{
    struct request *r = blk->free_list;

    if (r)
        blk->free_list = r->next_free;
    else
        r = malloc(sizeof(*r));
    if (r)
        r->blk = blk;
    return r;
}

static void request_put(struct request *r)
{
    r->next_free = r->blk->free_list;
    r->blk->free_list = r;
}

static void tell_pushed(libxl__egc *egc, libxl__blk_dev *blk)
{
    unsigned pushed = blk->pushed;

    blk->pushed = 0;
    for (unsigned q = 0; pushed >> q; q++)
        if (pushed >> q & 1)
            libxl__vdev_pushed(egc, &blk->dev, q);
}

static void finish(libxl__egc *egc, struct request *r)
{
    libxl__blk_dev *blk = r->blk;

    *r->req.status_byte = (uint8_t)r->req.status;
    libxl__blk_req_restore(&r->elem, &r->req);
    libxl__vdev_push(&blk->dev, r->q, &r->elem,
                     libxl__blk_req_written(&r->elem, &r->req));
    blk->pushed |= 1u << r->q;
    request_put(r);
    if (!blk->batching)
        tell_pushed(egc, blk);
}

static void give_id(struct request *r)
{
    const char *id = r->blk->p.id;
    size_t left = BLK_ID_BYTES;

    for (unsigned i = 0; i < r->req.nr_iov; i++) {
        size_t n = r->req.iov[i].iov_len;
        size_t m = n < left ? n : left;

        memset(r->req.iov[i].iov_base, 0, n);
        memcpy(r->req.iov[i].iov_base, id, m);
        id += m;
        left -= m;
    }
}

/* The job of the request's next step; false: there is none. */
static bool next_job(struct request *r)
{
    const struct blk_req *req = &r->req;
    const struct blk_segment *s;
    bool flush = r->blk->dev.features & F_FLUSH;

    r->job = (struct blk_job){.offset = req->offset, .bytes = req->bytes,
                              .iov = req->iov, .nr_iov = req->nr_iov};
    switch (req->type) {
    case BLK_T_IN:
        r->job.kind = BLK_JOB_READ;
        return true;
    case BLK_T_OUT:
        r->job.kind = BLK_JOB_WRITE;
        /* a driver that cannot flush expects what is done to stay done */
        r->job.durable = !flush;
        return true;
    case BLK_T_FLUSH:
        r->job.kind = BLK_JOB_FLUSH;
        return true;
    default:
        while (r->segment < req->nr_segments) {
            s = &req->segments[r->segment++];
            if (!s->bytes)
                continue;
            r->job.kind = req->type == BLK_T_DISCARD || s->unmap
                              ? BLK_JOB_PUNCH
                              : BLK_JOB_ZERO;
            r->job.offset = s->offset;
            r->job.bytes = s->bytes;
            return true;
        }
        return false;
    }
}

static void start(libxl__egc *egc, struct request *r)
{
    if (r->req.status == BLK_S_OK && r->req.type == BLK_T_GET_ID)
        give_id(r);
    else if (r->req.status == BLK_S_OK && next_job(r)) {
        r->blk->io->ops->submit(egc, r->blk->io, &r->job);
        return;
    }
    finish(egc, r);
}

static void job_done(libxl__egc *egc, void *user, struct blk_job *job)
{
    struct request *r = request_of_job(job);
    bool hint = r->req.type == BLK_T_DISCARD;

    /* a discard is only a hint: a file system without holes is no error */
    if (job->result && !(hint && job->result == -EOPNOTSUPP))
        r->req.status = job->result == -EOPNOTSUPP ? BLK_S_UNSUPP : BLK_S_IOERR;
    if (r->req.status == BLK_S_OK && r->req.nr_segments && next_job(r)) {
        r->blk->io->ops->submit(egc, r->blk->io, &r->job);
        r->blk->io->ops->flush(egc, r->blk->io);
        return;
    }
    finish(egc, r);
}

/* False: the queue is empty, broken or quiet. */
static bool take(libxl__egc *egc, libxl__blk_dev *blk, unsigned q)
{
    struct blk_limits limits = {blk->p.bytes, blk->p.read_only};
    struct request *r = request_get(blk);
    const char *wrong;

    if (!r) {
        libxl__vdev_break(&blk->dev, q, "more requests than there is memory for");
        return false;
    }
    if (!libxl__vdev_pop(&blk->dev, q, &r->elem)) {
        request_put(r);
        return false;
    }
    r->q = q;
    r->segment = 0;
    wrong = libxl__blk_req_parse(&r->elem, &limits, &r->req);
    if (wrong) {
        libxl__vdev_break(&blk->dev, q, wrong);
        libxl__vdev_push(&blk->dev, q, &r->elem, 0);
        request_put(r);
        return false;
    }
    start(egc, r);
    return true;
}

static void handle_output(libxl__egc *egc, libxl__vdev *dev, unsigned q)
{
    libxl__blk_dev *blk = blk_of_dev(dev);
    bool outer = !blk->batching;
    unsigned taken;

    blk->batching = true;
    do {
        taken = 0;
        while (take(egc, blk, q))
            if (!taken++)
                libxl__vq_set_kick(&dev->queues[q], false);
        blk->io->ops->flush(egc, blk->io);
        libxl__vq_set_kick(&dev->queues[q], true);
        /* one may have come between the last look and the wish for kicks */
    } while (taken);
    if (outer) {
        blk->batching = false;
        tell_pushed(egc, blk);
    }
}

static void get_config(libxl__vdev *dev, uint8_t *config)
{
    const libxl__blk_dev *blk = blk_of_dev(dev);
    struct blk_config c = {
        .capacity = htole64(blk->p.bytes / BLK_SECTOR),
        .seg_max = htole32(SEG_MAX),
        .blk_size = htole32(BLK_SECTOR),
        .writeback = 1,
        .num_queues = htole16((uint16_t)blk->p.nr_queues),
        .max_discard_sectors = htole32(MAX_DISCARD_SECTORS),
        .max_discard_seg = htole32(BLK_MAX_SEGMENTS),
        .discard_sector_alignment = htole32(8),
        .max_write_zeroes_sectors = htole32(MAX_DISCARD_SECTORS),
        .max_write_zeroes_seg = htole32(BLK_MAX_SEGMENTS),
        .write_zeroes_may_unmap = 1,
    };

    memcpy(config, &c, sizeof(c));
}

static bool set_config(libxl__vdev *dev, uint32_t offset, const uint8_t *data,
                       uint32_t bytes)
{
    return false;
}

static void reset(libxl__vdev *dev)
{
}

static const struct libxl__vdev_ops blk_ops = {
    .name = "block device",
    .virtio_id = 2,
    .features = F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH | F_MQ | F_DISCARD |
                F_WRITE_ZEROES,
    .get_config = get_config,
    .set_config = set_config,
    .handle_output = handle_output,
    .reset = reset,
};

libxl__blk_dev *libxl__blk_dev_new(libxl_ctx *ctx,
                                   const struct libxl__blk_params *p)
{
    libxl__blk_dev *blk = calloc(1, sizeof(*blk));
    const char *why = "it was told not to be used";

    if (!blk)
        goto out;
    blk->ctx = ctx;
    blk->p = *p;
    if (!p->no_uring)
        blk->io = libxl__blk_io_uring_open(ctx, p->fd, job_done, blk, &why);
    if (!blk->io) {
        LOG(ctx, INFO, "no io_uring (%s): using plain calls", why);
        blk->io = libxl__blk_io_sync_open(ctx, p->fd, job_done, blk);
    }
    if (!blk->io)
        goto out;
    blk->dev.ops = &blk_ops;
    blk->dev.user = blk;
    blk->dev.mig.ops = &libxl__devmig_stateless;
    blk->dev.nr_queues = p->nr_queues;
    blk->dev.features_off = (p->read_only ? F_DISCARD | F_WRITE_ZEROES : F_RO) |
                            (p->nr_queues > 1 ? 0 : F_MQ);
    libxl__vdev_init(&blk->dev);
    return blk;

out:
    free(blk);
    LOG(ctx, ERROR, "no memory for a block device");
    return NULL;
}

libxl__vdev *libxl__blk_dev_vdev(libxl__blk_dev *blk)
{
    return &blk->dev;
}

const char *libxl__blk_dev_io_name(const libxl__blk_dev *blk)
{
    return blk->io->ops->name;
}

void libxl__blk_dev_free(libxl__blk_dev *blk)
{
    assert(!libxl__vdev_held(&blk->dev));
    blk->io->ops->close(blk->io);
    while (blk->free_list) {
        struct request *r = blk->free_list;

        blk->free_list = r->next_free;
        free(r);
    }
    free(blk);
}
