/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_probe.h - what this machine's QEMU and KVM can do.
 *
 * Owns:      strings come from the gc that was given.
 * Thread:    loop thread only. The first call of a boot runs QEMU, or a probe
 *            child, and waits for it (bounded); the answers are kept in the
 *            state directory, by QEMU's file and by boot id.
 * Errors:    rc, logged.
 */
#ifndef LIBXL_QEMU_PROBE_H
#define LIBXL_QEMU_PROBE_H

#include "store/store.h"

struct libxl__qemu_probe {
    const char *path;    /* of the program */
    const char *version; /* "7.2.22" */
    const char *machine; /* what "q35" stands for: "pc-q35-7.2" */
    const char *machines; /* all it knows: " name name ... " */
    bool sandbox;        /* -sandbox is built in */
    bool vfio_user;      /* it has vfio-user-pci */
};

/* program: a path or a name looked up in PATH; NULL: qemu-system-x86_64. */
int libxl__qemu_probe(libxl__store *st, libxl__gc *gc, const char *program,
                      struct libxl__qemu_probe *out);

/* 0, or ERROR_QEMU_API: a device of config needs what this QEMU lacks (logged
 * by the device's name). */
int libxl__qemu_has_vfio_user(libxl_ctx *ctx, const libxl_domain_config *config,
                              const struct libxl__qemu_probe *probe);

struct libxl__kvm_probe {
    bool works;
    const char *why; /* for people: "ran a guest", "cannot open /dev/kvm: .." */
};
void libxl__kvm_probe(libxl__store *st, libxl__gc *gc,
                      struct libxl__kvm_probe *out);
/* The probe itself, without the cache; true: a guest ran to its end. */
bool libxl__kvm_probe_run(char *why, size_t why_bytes);

/* The firmware file that a configuration asks for; *out NULL: QEMU's own. */
int libxl__qemu_bios_path(libxl_ctx *ctx, uint32_t domid,
                          const libxl_domain_config *config, const char **out);

#endif
