/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper_dev.c - the disks' processes: one that dies is started again, for the
 * same QEMU. The guest's requests wait meanwhile; those that were under way are
 * in a table that QEMU keeps.
 *
 * attach -> (watch each) ... lost, or resumed -> (delay) -> due -> settle
 *     -> restart, in a round: with the domain's lock -> (watch)
 *
 * Whether a process is there is asked of its socket alone: nobody has to be
 * told of it, and a keeper that comes later finds one that died before.
 */
#include "base/container.h"
#include "base/log.h"
#include "domain/keeper.h"
#include "store/run_record.h"

/* QEMU's end, which ends the devices too, is given time to be seen first. */
#define DELAY_MIN_MS 100u
#define DELAY_MAX_MS 60000u
/* Who dies sooner is started again later and later. */
#define LIVED_MS 10000u

static struct libxl__keeper_dev *dev_of_watch(libxl__dev_watch *watch)
{
    return CONTAINER_OF(watch, struct libxl__keeper_dev, watch);
}

static libxl__keeper *keeper_of_delay(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__keeper, devs_delay);
}

static void due(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__keeper *kp = keeper_of_delay(ev);

    kp->devs_due = true;
    libxl__keeper_settle(egc, kp);
}

/* It is down: how long until it is started? Those that wait already go with
 * it. */
static void plan(struct libxl__keeper_dev *d)
{
    libxl__keeper *kp = d->kp;
    uint64_t lived = libxl__now_ms(kp->ctx) - d->started_ms;

    d->down = true;
    if (!d->started_ms || lived >= LIVED_MS)
        d->delay_ms = DELAY_MIN_MS;
    else if (d->delay_ms < DELAY_MAX_MS / 2)
        d->delay_ms *= 2;
    else
        d->delay_ms = DELAY_MAX_MS;
    libxl__ev_time_deregister(kp->ctx, &kp->devs_delay);
    if (libxl__ev_time_register_rel(kp->ctx, NULL, &kp->devs_delay, due,
                                    d->delay_ms))
        LOGD(kp->ctx, kp->domid, ERROR,
             "the keeper cannot wait for disk device dev-%u", d->watch.index);
}

static void lost(libxl__egc *egc, libxl__dev_watch *watch)
{
    struct libxl__keeper_dev *d = dev_of_watch(watch);

    if (!d->kp->qemu_gone)
        plan(d);
}

static bool is_running(libxl__keeper *kp)
{
    struct libxl__run_record run;

    return !libxl__run_record_read(kp->store, kp->domid, &run) &&
           run.state == LIBXL__RUN_RUNNING;
}

static void start(struct libxl__keeper_dev *d)
{
    libxl__keeper *kp = d->kp;
    int rc = libxl__dev_watch_start(&d->watch);

    d->down = rc;
    if (!rc) /* an operation has started it, or another keeper watched it */
        return;
    rc = kp->host->ops->restart_device(kp->host, kp->domid, d->watch.index,
                                       true);
    if (rc == ERROR_NOT_READY)
        return; /* no QEMU: its death is on its way */
    LOGD(kp->ctx, kp->domid, NOTICE,
         "the process of disk device dev-%u has ended; %s", d->watch.index,
         rc ? "it cannot be started again now" : "started again");
    if (!rc)
        rc = libxl__dev_watch_start(&d->watch);
    d->down = rc;
    if (rc)
        plan(d);
    d->started_ms = libxl__now_ms(kp->ctx);
}

/* A guest that does not run is left alone: QEMU would start its rings. The
 * operation that lets it run starts its devices; one that dies just then is
 * found when QEMU tells that it runs. */
void libxl__keeper_dev_restart(libxl__keeper *kp)
{
    if (!kp->devs_due)
        return;
    kp->devs_due = false;
    if (kp->qemu_gone || !kp->host->ops->restart_device || !is_running(kp))
        return;
    for (unsigned i = 0; i < kp->nr_devs; i++)
        if (kp->devs[i].down)
            start(&kp->devs[i]);
}

void libxl__keeper_dev_resumed(libxl__keeper *kp)
{
    for (unsigned i = 0; i < kp->nr_devs; i++)
        if (kp->devs[i].down)
            plan(&kp->devs[i]);
}

void libxl__keeper_dev_init(libxl__keeper *kp)
{
    kp->nr_devs = 0;
    kp->devs_due = false;
    libxl__ev_time_init(&kp->devs_delay);
}

/* At the keeper's start, and for a new QEMU. */
void libxl__keeper_dev_attach(libxl__keeper *kp)
{
    int rc = 0;

    libxl__keeper_dev_close(kp);
    while (kp->nr_devs < LIBXL__DEV_MAX && rc != ERROR_NOTFOUND) {
        struct libxl__keeper_dev *d = &kp->devs[kp->nr_devs];

        *d = (struct libxl__keeper_dev){
            .kp = kp, .delay_ms = DELAY_MIN_MS};
        libxl__dev_watch_init(&d->watch);
        d->watch.ctx = kp->ctx;
        d->watch.dirfd = kp->dirfd;
        d->watch.index = kp->nr_devs;
        d->watch.lost = lost;
        rc = libxl__dev_watch_start(&d->watch);
        if (rc != ERROR_NOTFOUND)
            kp->nr_devs++;
        if (rc == ERROR_NOT_READY)
            plan(d);
    }
}

void libxl__keeper_dev_close(libxl__keeper *kp)
{
    for (unsigned i = 0; i < kp->nr_devs; i++)
        libxl__dev_watch_stop(&kp->devs[i].watch);
    libxl__ev_time_deregister(kp->ctx, &kp->devs_delay);
    libxl__keeper_dev_init(kp);
}
