/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * run_record.h - the record "run": what a domain is doing, as list shows it.
 *
 *   {"state": "shutdown", "reason": "reboot"}
 *   {"state": "suspended", "was": "running", "state_taken": true}
 *
 * Written by the keeper when QEMU tells, and by the operation that changes the
 * state: before the guest can act (so that what the guest does next is written
 * later, by the keeper), or after it cannot any more.
 *
 * Owns:      nothing. Thread: loop thread only.
 * Errors:    rc. A damaged record reads as ERROR_FAIL, logged.
 */
#ifndef LIBXL_RUN_RECORD_H
#define LIBXL_RUN_RECORD_H

#include "store/store.h"

enum libxl__run_state {
    LIBXL__RUN_PAUSED,
    LIBXL__RUN_RUNNING,
    LIBXL__RUN_SUSPENDED, /* for a save; 'was_running' is what resume restores */
    LIBXL__RUN_SHUTDOWN,  /* the guest ended; 'reason' says how */
};

struct libxl__run_record {
    enum libxl__run_state state;
    bool was_running;
    libxl_shutdown_reason reason;
    /* The host took the device state since the guest last ran. */
    bool state_taken;
};

/* ERROR_NOTFOUND: none was written yet; *out then says paused. */
int libxl__run_record_read(libxl__store *st, uint32_t domid,
                           struct libxl__run_record *out);
int libxl__run_record_write(libxl__store *st, uint32_t domid,
                            const struct libxl__run_record *rec);

/* xl reboot: asked for by a record "wish", so that the guest's clean poweroff
 * counts as a reboot. take erases it, and does not count one older than
 * LIBXL__WISH_S: the guest did not follow it. */
#define LIBXL__WISH_S 600
int libxl__reboot_wish_set(libxl__store *st, uint32_t domid);
bool libxl__reboot_wish_take(libxl__store *st, uint32_t domid);

#endif
