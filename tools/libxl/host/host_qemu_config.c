/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_config.c - can this host run this configuration? And what it
 * decides itself: the versioned machine type, CPU model, accelerator, MACs.
 * These are recorded in the configuration and never change in a guest's life:
 * a restore, also under a newer QEMU, makes the same machine again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "dm/qemu_args.h"
#include "host/host_qemu.h"
#include "host/qemu_probe.h"

/* What QEMU itself takes, beside the guest's memory. */
enum { QEMU_OVERHEAD_KB = 64 << 10 };

static int refuse(libxl_ctx *ctx, const char *key, const char *why)
{
    LOG(ctx, ERROR, "%s: %s", key, why);
    return ERROR_INVAL;
}

static bool given(const char *s)
{
    return s && s[0];
}

/* ---- files ---- */

static int check_readable(libxl_ctx *ctx, const char *key, const char *path)
{
    struct stat st;

    if (stat(path, &st) || access(path, R_OK)) {
        LOGE(ctx, ERROR, errno, "%s: cannot read %s", key, path);
        return ERROR_NOTFOUND;
    }
    if (S_ISDIR(st.st_mode)) {
        LOG(ctx, ERROR, "%s: %s is a directory", key, path);
        return ERROR_INVAL;
    }
    return 0;
}

static int check_disk(libxl_ctx *ctx, const libxl_device_disk *disk)
{
    bool write = disk->readwrite && !disk->is_cdrom;
    char key[80];
    int rc;

    if (disk->format == LIBXL_DISK_FORMAT_EMPTY || !given(disk->pdev_path))
        return 0;
    snprintf(key, sizeof(key), "disk %.32s", disk->vdev ? disk->vdev : "");
    rc = check_readable(ctx, key, disk->pdev_path);
    if (rc)
        return rc;
    if (write && access(disk->pdev_path, W_OK)) {
        LOGE(ctx, ERROR, errno, "%s: cannot write %s", key, disk->pdev_path);
        return ERROR_FAIL;
    }
    return 0;
}

int libxl__qemu_bios_path(libxl_ctx *ctx, uint32_t domid,
                          const libxl_domain_config *config, const char **out)
{
    static const char *const ovmf[] = { "/usr/share/ovmf/OVMF.fd",
                                        "/usr/share/OVMF/OVMF.fd",
                                        "/usr/share/qemu/OVMF.fd" };
    const libxl_domain_build_info *b = &config->b_info;
    size_t i;

    *out = NULL;
    if (given(b->bios_path_override)) {
        *out = b->bios_path_override;
        return check_readable(ctx, "bios_path_override", *out);
    }
    if (!given(b->bios) || !strcmp(b->bios, "seabios"))
        return 0;
    if (strcmp(b->bios, "ovmf")) {
        LOGD(ctx, domid, ERROR,
             "bios: \"%s\" is not offered on a QEMU host: use seabios or ovmf",
             b->bios);
        return ERROR_INVAL;
    }
    for (i = 0; i < sizeof(ovmf) / sizeof(*ovmf) && !*out; i++)
        if (!access(ovmf[i], R_OK))
            *out = ovmf[i];
    if (*out)
        return 0;
    LOGD(ctx, domid, ERROR, "bios: ovmf is not installed (package ovmf)");
    return ERROR_NOTFOUND;
}

static int check_files(libxl_ctx *ctx, const libxl_domain_config *config)
{
    const libxl_domain_build_info *b = &config->b_info;
    const char *bios;
    int rc = 0, i;

    if (given(b->kernel))
        rc = check_readable(ctx, "kernel", b->kernel);
    if (!rc && given(b->ramdisk))
        rc = check_readable(ctx, "ramdisk", b->ramdisk);
    if (!rc)
        rc = libxl__qemu_bios_path(ctx, INVALID_DOMID, config, &bios);
    for (i = 0; i < config->num_disks && !rc; i++)
        rc = check_disk(ctx, &config->disks[i]);
    return rc;
}

/* ---- memory ---- */

static uint64_t meminfo_kb(const char *key)
{
    char line[128];
    uint64_t kb = 0;
    FILE *f = fopen("/proc/meminfo", "re");

    while (f && fgets(line, sizeof(line), f))
        if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
            kb = strtoull(line + strlen(key) + 1, NULL, 10);
    if (f)
        fclose(f);
    return kb;
}

static int check_memory(libxl_ctx *ctx, const libxl_domain_config *config)
{
    uint64_t need = (libxl__qemu_memory_bytes(config) >> 10) + QEMU_OVERHEAD_KB;
    uint64_t have = meminfo_kb("MemAvailable") + meminfo_kb("SwapFree");

    if (!config->b_info.max_memkb)
        return refuse(ctx, "memory", "it is not set");
    if (need <= have)
        return 0;
    LOG(ctx, ERROR,
        "no memory for the guest: it needs %" PRIu64 " MiB (with QEMU's own), "
        "this host has %" PRIu64 " MiB available",
        need >> 10, have >> 10);
    return ERROR_NOMEM;
}

/* ---- what the host decides ---- */

static int set_string(char **field, const char *value)
{
    char *copy;

    if (given(*field))
        return 0;
    copy = strdup(value);
    if (!copy)
        return ERROR_NOMEM;
    free(*field);
    *field = copy;
    return 0;
}

/* accel="kvm" overrules the probe, which may be wrong; but an image that was
 * made under KVM cannot be loaded under another accelerator, so that a restore
 * without KVM is refused before anything is touched. */
static int check_kvm(struct libxl__host_qemu *hq, libxl__gc *gc, bool restore)
{
    struct libxl__kvm_probe kvm;
    const char *why;

    libxl__kvm_probe(hq->store, gc, &kvm);
    if (kvm.works)
        return 0;
    why = kvm.why ? kvm.why : "KVM was not seen to work";
    if (!restore) {
        LOG(hq->host.ctx, WARN, "accel: kvm is asked for, but %s", why);
        return 0;
    }
    LOG(hq->host.ctx, ERROR,
        "the image was made under KVM and cannot be restored here: %s", why);
    return ERROR_INVAL;
}

static int decide_accel(struct libxl__host_qemu *hq, libxl__gc *gc,
                        libxl_qemu_host_info *q, bool restore)
{
    struct libxl__kvm_probe kvm;

    if (!given(q->accel)) {
        libxl__kvm_probe(hq->store, gc, &kvm);
        return set_string(&q->accel, kvm.works ? "kvm" : "tcg");
    }
    if (!strcmp(q->accel, "tcg"))
        return 0;
    if (!strcmp(q->accel, "kvm"))
        return check_kvm(hq, gc, restore);
    return refuse(hq->host.ctx, "accel", "it is \"tcg\" or \"kvm\"");
}

static int decide_macs(libxl_domain_config *config)
{
    static const libxl_mac none;
    int i;

    for (i = 0; i < config->num_nics; i++) {
        uint8_t *mac = config->nics[i].mac;

        if (memcmp(mac, none, sizeof(none)))
            continue;
        if (getrandom(mac, sizeof(none), 0) != sizeof(none))
            return ERROR_FAIL;
        /* Xen's prefix, as upstream chooses them */
        mac[0] = 0x00;
        mac[1] = 0x16;
        mac[2] = 0x3e;
        mac[3] &= 0x7f;
    }
    return 0;
}

static int check_machine(libxl_ctx *ctx, libxl__gc *gc, const char *machine,
                         const struct libxl__qemu_probe *probe)
{
    char *word = libxl__sprintf(gc, " %s ", machine);

    if (!word)
        return ERROR_NOMEM;
    if (strstr(probe->machines, word))
        return 0;
    LOG(ctx, ERROR, "machine type \"%s\" is not known to QEMU %s (%s)", machine,
        probe->version, probe->path);
    return ERROR_INVAL;
}

static int decide(struct libxl__host_qemu *hq, libxl__gc *gc,
                  libxl_domain_config *config, bool restore)
{
    libxl_qemu_host_info *q = &config->qemu_host;
    struct libxl__qemu_probe probe;
    int rc;

    rc = libxl__qemu_probe(hq->store, gc, config->b_info.device_model_override,
                           &probe);
    if (!rc)
        rc = libxl__qemu_has_vfio_user(hq->host.ctx, config, &probe);
    if (!rc)
        rc = decide_accel(hq, gc, q, restore);
    if (!rc && given(q->machine) && !strcmp(q->machine, "q35")) {
        free(q->machine);
        q->machine = NULL;
    }
    if (!rc)
        rc = set_string(&q->machine, probe.machine);
    if (!rc)
        rc = check_machine(hq->host.ctx, gc, q->machine, &probe);
    if (!rc)
        rc = set_string(&q->cpu_model,
                        !strcmp(q->accel, "kvm") ? "host" : "qemu64");
    return rc ? rc : decide_macs(config);
}

/* ---- the ops ---- */

int libxl__qemu_check_config(libxl__host *h, libxl_domain_config *config,
                             bool restore)
{
    struct libxl__host_qemu *hq = libxl__host_qemu_of(h);
    libxl__gc gc;
    int rc;

    if (restore && !given(config->qemu_host.machine))
        return refuse(h->ctx, "qemu_host.machine",
                      "the image does not name its machine type: it was not "
                      "made on a QEMU host");
    libxl__gc_init(&gc, h->ctx);
    if (config->c_info.type == LIBXL_DOMAIN_TYPE_INVALID)
        config->c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    rc = libxl__qemu_args_check(&gc, config, INVALID_DOMID);
    if (!rc)
        rc = check_files(h->ctx, config);
    if (!rc)
        rc = check_memory(h->ctx, config);
    if (!rc)
        rc = decide(hq, &gc, config, restore);
    libxl__gc_dispose(&gc);
    return rc;
}

/* QEMU was started with -only-migratable: each of its devices can be saved.
 * What is left to ask is whether there is a QEMU. */
int libxl__qemu_check_saveable(libxl__host *h, uint32_t domid,
                               const libxl_domain_config *config)
{
    struct libxl__host_qemu *hq = libxl__host_qemu_of(h);
    struct libxl__run_record run;
    struct libxl__qemu_ident id;
    int rc;

    rc = libxl__qemu_ident_read(hq, domid, &id);
    if (rc || libxl__proc_id_state(&id.proc) != LIBXL__PROC_ALIVE) {
        LOGD(h->ctx, domid, ERROR,
             "the guest's QEMU process has ended: there is nothing to save");
        return rc ? rc : ERROR_FAIL;
    }
    libxl__run_record_read(hq->store, domid, &run);
    if (run.state == LIBXL__RUN_SHUTDOWN) {
        LOGD(h->ctx, domid, ERROR,
             "the guest has shut down: there is nothing to save");
        return ERROR_FAIL;
    }
    return 0;
}
