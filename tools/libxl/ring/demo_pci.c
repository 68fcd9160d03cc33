/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * demo_pci.c - registers, timer and copies of the demo device.
 *
 *   a write of PERIOD -> on_tick -> on_tick ...
 *   a write of COPY   -> copy_some -> copy_some ... -> copy_over
 * Quiet, it finishes its copy; the timer stands while it is stopped.
 */
#include "ring/demo_pci.h"

#include <errno.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "ring/vfu_wire.h"

#define CLASS_OTHER 0xff0000u
#define COPY_STEP 4096u

static struct libxl__demo *demo_of_timer(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__demo, timer);
}

static struct libxl__demo *demo_of_copier(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__demo, copier);
}

static bool may_run(const struct libxl__demo *d)
{
    return d->pci.mig.state == DEVMIG_RUNNING ||
           d->pci.mig.state == DEVMIG_PRE_COPY;
}

static void raise_if_wanted(struct libxl__demo *d)
{
    if (d->regs.irq & d->regs.irq_mask)
        libxl__vfu_trigger(&d->pci, VFU_IRQ_INTX, 0);
}

static void happened(struct libxl__demo *d, uint32_t what)
{
    d->regs.irq |= what;
    raise_if_wanted(d);
}

/* ---- the timer ---- */

static void on_tick(libxl__egc *egc, libxl__ev_time *ev, int rc);

static void start_timer(struct libxl__demo *d, uint32_t in_ms)
{
    libxl__ev_time_deregister(d->ctx, &d->timer);
    if (!d->regs.period_ms)
        return;
    d->next_tick_ms = libxl__now_ms(d->ctx) + in_ms;
    if (libxl__ev_time_register_rel(d->ctx, NULL, &d->timer, on_tick, in_ms))
        LOG(d->ctx, ERROR, "%s: its timer cannot be set", d->pci.ops->name);
}

static void stop_timer(struct libxl__demo *d)
{
    uint64_t now = libxl__now_ms(d->ctx);

    if (!libxl__ev_time_isregistered(&d->timer))
        return;
    d->regs.left_ms = d->next_tick_ms > now ? (uint32_t)(d->next_tick_ms - now)
                                            : 0;
    if (d->regs.left_ms > d->regs.period_ms)
        d->regs.left_ms = d->regs.period_ms;
    libxl__ev_time_deregister(d->ctx, &d->timer);
}

static void on_tick(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct libxl__demo *d = demo_of_timer(ev);

    d->regs.ticks++;
    start_timer(d, d->regs.period_ms);
    happened(d, DEMO_IRQ_TIMER);
}

/* ---- copies ---- */

static void tell_if_idle(libxl__egc *egc, struct libxl__demo *d)
{
    if (d->waiting && !d->copying) {
        d->waiting = false;
        libxl__vfu_idle(egc, &d->pci);
    }
}

static void copy_some(libxl__egc *egc, libxl__ev_time *ev, int rc);

static void copy_next(libxl__egc *egc, struct libxl__demo *d)
{
    if (!libxl__ev_time_register_rel(d->ctx, NULL, &d->copier, copy_some, 0))
        return;
    d->copying = false;
    d->regs.errors++;
    tell_if_idle(egc, d);
}

static void copy_some(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct libxl__demo *d = demo_of_copier(ev);
    uint32_t n = d->regs.bytes - d->copy_done;
    uint8_t page[COPY_STEP];
    int r;

    if (n > COPY_STEP)
        n = COPY_STEP;
    r = libxl__ring_mem_read(&d->mem, d->regs.src + d->copy_done, page, n);
    if (!r)
        r = libxl__ring_mem_write(&d->mem, d->regs.dst + d->copy_done, page, n);
    if (r) {
        d->regs.errors++;
    } else {
        d->copy_done += n;
        d->regs.copied += n;
        if (d->copy_done < d->regs.bytes) {
            copy_next(egc, d);
            return;
        }
    }
    d->copying = false;
    happened(d, DEMO_IRQ_COPY);
    tell_if_idle(egc, d);
}

static void begin_copy(libxl__egc *egc, struct libxl__demo *d)
{
    const struct demo_regs *r = &d->regs;

    if (d->copying)
        return;
    if (!r->bytes || r->bytes > DEMO_COPY_MAX ||
        r->src > UINT64_MAX - r->bytes || r->dst > UINT64_MAX - r->bytes) {
        d->regs.errors++;
        happened(d, DEMO_IRQ_COPY);
        return;
    }
    d->copying = true;
    d->copy_done = 0;
    copy_next(egc, d);
}

/* ---- registers ---- */

static struct libxl__demo *of_pci(libxl__vfu_device *dev)
{
    return dev->user;
}

static uint32_t reg_read(const struct libxl__demo *d, uint64_t offset)
{
    const struct demo_regs *r = &d->regs;

    switch (offset) {
    case DEMO_REG_ID: return DEMO_ID;
    case DEMO_REG_SCRATCH: return r->scratch[0];
    case DEMO_REG_SCRATCH + 4: return r->scratch[1];
    case DEMO_REG_SCRATCH + 8: return r->scratch[2];
    case DEMO_REG_SCRATCH + 12: return r->scratch[3];
    case DEMO_REG_PERIOD: return r->period_ms;
    case DEMO_REG_TICKS: return r->ticks;
    case DEMO_REG_IRQ: return r->irq;
    case DEMO_REG_IRQ_MASK: return r->irq_mask;
    case DEMO_REG_SRC: return (uint32_t)r->src;
    case DEMO_REG_SRC + 4: return (uint32_t)(r->src >> 32);
    case DEMO_REG_DST: return (uint32_t)r->dst;
    case DEMO_REG_DST + 4: return (uint32_t)(r->dst >> 32);
    case DEMO_REG_BYTES: return r->bytes;
    case DEMO_REG_COPY: return d->copying;
    case DEMO_REG_ERRORS: return r->errors;
    case DEMO_REG_COPIED: return (uint32_t)r->copied;
    case DEMO_REG_COPIED + 4: return (uint32_t)(r->copied >> 32);
    default: return 0;
    }
}

static void set_half(uint64_t *reg, bool high, uint32_t v)
{
    if (high)
        *reg = (*reg & UINT32_MAX) | (uint64_t)v << 32;
    else
        *reg = (*reg & ~(uint64_t)UINT32_MAX) | v;
}

static void reg_write(libxl__egc *egc, struct libxl__demo *d, uint64_t offset,
                      uint32_t v)
{
    struct demo_regs *r = &d->regs;

    switch (offset) {
    case DEMO_REG_SCRATCH:
    case DEMO_REG_SCRATCH + 4:
    case DEMO_REG_SCRATCH + 8:
    case DEMO_REG_SCRATCH + 12:
        r->scratch[(offset - DEMO_REG_SCRATCH) / 4] = v;
        break;
    case DEMO_REG_PERIOD:
        r->period_ms = v;
        start_timer(d, v);
        break;
    case DEMO_REG_IRQ:
        r->irq &= ~v;
        break;
    case DEMO_REG_IRQ_MASK:
        r->irq_mask = v;
        raise_if_wanted(d);
        break;
    case DEMO_REG_SRC:
    case DEMO_REG_SRC + 4:
    case DEMO_REG_DST:
    case DEMO_REG_DST + 4:
        if (!d->copying)
            set_half(offset < DEMO_REG_DST ? &r->src : &r->dst, offset & 4, v);
        break;
    case DEMO_REG_BYTES:
        if (!d->copying)
            r->bytes = v;
        break;
    case DEMO_REG_COPY:
        begin_copy(egc, d);
        break;
    }
}

static bool whole_words(uint64_t offset, uint32_t bytes)
{
    return !(offset % 4) && !(bytes % 4);
}

static int bar_read(libxl__egc *egc, libxl__vfu_device *dev, unsigned bar,
                    uint64_t offset, void *buf, uint32_t bytes)
{
    if (!whole_words(offset, bytes))
        return -EINVAL;
    for (uint32_t i = 0; i < bytes; i += 4)
        libxl__vfu_put32((uint8_t *)buf + i, reg_read(of_pci(dev), offset + i));
    return 0;
}

static int bar_write(libxl__egc *egc, libxl__vfu_device *dev, unsigned bar,
                     uint64_t offset, const void *buf, uint32_t bytes)
{
    if (!whole_words(offset, bytes))
        return -EINVAL;
    if (!may_run(of_pci(dev)))
        return 0; /* stopped: no guest can have written this */
    for (uint32_t i = 0; i < bytes; i += 4)
        reg_write(egc, of_pci(dev), offset + i,
                  libxl__vfu_get32((const uint8_t *)buf + i));
    return 0;
}

static void reset(libxl__egc *egc, libxl__vfu_device *dev)
{
    struct libxl__demo *d = of_pci(dev);

    libxl__ev_time_deregister(d->ctx, &d->timer);
    d->regs = (struct demo_regs){.ballast = d->ballast};
}

static void quieten(libxl__egc *egc, libxl__vfu_device *dev)
{
    struct libxl__demo *d = of_pci(dev);

    d->waiting = true;
    tell_if_idle(egc, d);
}

static void resume(libxl__egc *egc, libxl__vfu_device *dev)
{
}

static const struct libxl__vfu_device_ops pci_ops = {
    .name = "demo PCI device",
    .read = bar_read,
    .write = bar_write,
    .reset = reset,
    .quieten = quieten,
    .resume = resume,
};

/* ---- migration ---- */

static int take_loaded(struct libxl__demo *d)
{
    uint8_t config[PCI_CONFIG_BYTES];
    struct demo_regs regs;
    const char *wrong = libxl__demo_loader_end(&d->loader, &regs, config);

    if (wrong) {
        LOG(d->ctx, ERROR, "%s: cannot load %s", d->pci.ops->name, wrong);
        return -EPROTO;
    }
    d->regs = regs;
    d->ballast = regs.ballast;
    return libxl__pci_config_write(&d->pci.config, 0, config, sizeof(config));
}

static bool runs(enum devmig_state s)
{
    return s == DEVMIG_RUNNING || s == DEVMIG_PRE_COPY;
}

static int transition(void *dev, enum devmig_state from, enum devmig_state to)
{
    struct libxl__demo *d = dev;

    if (from == DEVMIG_RESUMING)
        return take_loaded(d);
    if (to == DEVMIG_RESUMING) {
        d->loader = (struct demo_loader){0};
        d->piece_got = 0;
    }
    if (to == DEVMIG_PRE_COPY ||
        (to == DEVMIG_STOP_COPY && from == DEVMIG_STOP))
        libxl__demo_saver_init(&d->saver, d->ballast);
    if (runs(from) && !runs(to))
        stop_timer(d);
    if (!runs(from) && runs(to)) {
        start_timer(d, d->regs.left_ms);
        /* it may have been raised in another QEMU */
        raise_if_wanted(d);
    }
    return 0;
}

static uint64_t get_pending_bytes(void *dev)
{
    struct libxl__demo *d = dev;

    return libxl__demo_saver_left(&d->saver);
}

static ssize_t prepare_data(void *dev)
{
    struct libxl__demo *d = dev;

    if (d->saver.ballast_left)
        return libxl__demo_saver_ballast(&d->saver);
    if (d->pci.mig.state != DEVMIG_STOP_COPY || d->saver.regs_done)
        return 0;
    return libxl__demo_saver_regs(&d->saver, &d->regs, d->pci.config.bytes);
}

static ssize_t read_data(void *dev, void *buf, uint64_t bytes, uint64_t offset)
{
    struct libxl__demo *d = dev;

    if (offset > d->saver.item_bytes || bytes > d->saver.item_bytes - offset)
        return -EINVAL;
    memcpy(buf, d->saver.buf + offset, bytes);
    return (ssize_t)bytes;
}

static ssize_t write_data(void *dev, const void *buf, uint64_t bytes,
                          uint64_t offset)
{
    struct libxl__demo *d = dev;
    const char *wrong = offset != d->piece_got
                               ? "a piece with a hole in it"
                               : libxl__demo_loader_take(&d->loader, buf,
                                                         bytes);

    d->piece_got += bytes;
    if (!wrong)
        return (ssize_t)bytes;
    LOG(d->ctx, ERROR, "%s: cannot load %s", d->pci.ops->name, wrong);
    return -EPROTO;
}

static int data_written(void *dev, uint64_t bytes)
{
    struct libxl__demo *d = dev;
    bool whole = bytes == d->piece_got;

    d->piece_got = 0;
    return whole ? 0 : -EPROTO;
}

static const struct devmig_ops mig_ops = {
    .transition = transition,
    .get_pending_bytes = get_pending_bytes,
    .prepare_data = prepare_data,
    .read_data = read_data,
    .write_data = write_data,
    .data_written = data_written,
};

/* ---- its life ---- */

int libxl__demo_start(struct libxl__demo *d, int listen_fd)
{
    static const struct pci_identity identity = {
        .vendor = DEMO_VENDOR,
        .device = DEMO_DEVICE,
        .subsystem_vendor = DEMO_VENDOR,
        .subsystem = DEMO_DEVICE,
        .class_code = CLASS_OTHER,
        .intx = true,
    };

    libxl__ev_time_init(&d->timer);
    libxl__ev_time_init(&d->copier);
    libxl__ring_mem_init(&d->mem);
    d->regs.ballast = d->ballast;
    d->pci.ops = &pci_ops;
    d->pci.user = d;
    d->pci.mig = (struct devmig){.ops = &mig_ops, .dev = d};
    libxl__pci_config_init(&d->pci.config, &identity);
    libxl__pci_config_bar(&d->pci.config, 0, DEMO_BAR_BYTES, false);
    d->pci.bar_bytes[0] = DEMO_BAR_BYTES;
    d->pci.nr_irqs[VFU_IRQ_INTX] = 1;
    d->vfu = libxl__vfu_start(d->ctx, &d->pci, &d->mem, listen_fd);
    return d->vfu ? 0 : ERROR_FAIL;
}

void libxl__demo_stop(struct libxl__demo *d)
{
    libxl__ev_time_deregister(d->ctx, &d->timer);
    libxl__ev_time_deregister(d->ctx, &d->copier);
    libxl__vfu_stop(d->vfu);
}
