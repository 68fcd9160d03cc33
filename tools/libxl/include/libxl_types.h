/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl_types.h - what a domain is made of, and what can be asked of it.
 *
 * Units:     memory in KiB where the name says kb; times in nanoseconds.
 * Ownership: strings and arrays of a libxl_x belong to it; libxl_x_init sets
 *            the documented defaults, libxl_x_dispose frees the contents (and
 *            accepts a half-filled one). JSON names are upstream's.
 */
#ifndef LIBXL_TYPES_H
#define LIBXL_TYPES_H

#ifndef LIBXL_H
#error "include libxl.h"
#endif

#include <stdbool.h>
#include <stdint.h>

typedef struct { uint8_t uuid[16]; } libxl_uuid;
typedef uint8_t libxl_mac[6];

typedef enum {
    LIBXL_DOMAIN_TYPE_INVALID = -1,
    LIBXL_DOMAIN_TYPE_HVM = 1,
    LIBXL_DOMAIN_TYPE_PV = 2,
    LIBXL_DOMAIN_TYPE_PVH = 3,
} libxl_domain_type;

typedef enum {
    LIBXL_ACTION_ON_SHUTDOWN_DESTROY = 1,
    LIBXL_ACTION_ON_SHUTDOWN_RESTART = 2,
    LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME = 3,
    LIBXL_ACTION_ON_SHUTDOWN_PRESERVE = 4,
    LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY = 5,
    LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART = 6,
    LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET = 7,
} libxl_action_on_shutdown;

typedef enum {
    LIBXL_SHUTDOWN_REASON_UNKNOWN = -1,
    LIBXL_SHUTDOWN_REASON_POWEROFF = 0,
    LIBXL_SHUTDOWN_REASON_REBOOT = 1,
    LIBXL_SHUTDOWN_REASON_SUSPEND = 2,
    LIBXL_SHUTDOWN_REASON_CRASH = 3,
    LIBXL_SHUTDOWN_REASON_WATCHDOG = 4,
    LIBXL_SHUTDOWN_REASON_SOFT_RESET = 5,
} libxl_shutdown_reason;

typedef enum {
    LIBXL_DISK_FORMAT_UNKNOWN = 0,
    LIBXL_DISK_FORMAT_QCOW = 1,
    LIBXL_DISK_FORMAT_QCOW2 = 2,
    LIBXL_DISK_FORMAT_VHD = 3,
    LIBXL_DISK_FORMAT_RAW = 4,
    LIBXL_DISK_FORMAT_EMPTY = 5,
    LIBXL_DISK_FORMAT_QED = 6,
} libxl_disk_format;

typedef enum {
    LIBXL_DISK_BACKEND_UNKNOWN = 0,
    LIBXL_DISK_BACKEND_PHY = 1,
    LIBXL_DISK_BACKEND_TAP = 2,
    LIBXL_DISK_BACKEND_QDISK = 3,
    LIBXL_DISK_BACKEND_STANDALONE = 4,
    LIBXL_DISK_BACKEND_VHOST_USER = 100, /* ours: served by xl-blkd */
    LIBXL_DISK_BACKEND_VFIO_USER = 101,  /* the same, as a PCI device */
} libxl_disk_backend;

typedef struct {
    char *pdev_path; /* target */
    char *vdev;      /* xvda, hda, vda, sda ... */
    libxl_disk_backend backend;
    libxl_disk_format format;
    char *script;
    bool removable, readwrite, is_cdrom, discard_enable;
    bool direct_io_safe;
    char *foreign_json; /* as in libxl_domain_config */
} libxl_device_disk;

typedef enum {
    LIBXL_NIC_TYPE_UNKNOWN = 0,
    LIBXL_NIC_TYPE_VIF_IOEMU = 1,
    LIBXL_NIC_TYPE_VIF = 2,
} libxl_nic_type;

typedef struct {
    int devid;
    libxl_mac mac; /* all zero: chosen at create, and then kept */
    char *model;   /* virtio-net-pci, e1000, rtl8139 ... */
    char *bridge;  /* NULL on a QEMU host: user-mode networking */
    char *script;
    char *ip;
    char *ifname;
    libxl_nic_type nictype;
    uint64_t rate_bytes_per_interval;
    uint32_t rate_interval_usecs;
    int mtu;            /* 0: the bridge's, or 1500 */
    char *foreign_json; /* as in libxl_domain_config */
} libxl_device_nic;

/* A PCI device in a process of its own, which the toolstack starts (a QEMU
 * host's; docs/specs/device-control.md). */
typedef struct {
    char *name;    /* for people */
    char *program; /* absolute path */
    char **args;   /* what it gets beside its fds; NULL: nothing */
    char *foreign_json;
} libxl_device_vfio_user;

typedef struct {
    bool enable;
    char *listen; /* default 127.0.0.1 */
    int display;
    bool findunused;
    char *passwd;
} libxl_vnc_info;

typedef struct {
    libxl_domain_type type;
    char *name;
    libxl_uuid uuid;
    uint32_t domid; /* 0 in a save file, unless the domid is to be kept */
    bool run_hotplug_scripts;
} libxl_domain_create_info;

/* A QEMU host's part of a guest (JSON object "qemu_host"): what a restore must
 * find again. All are filled at create and never change in the guest's life. */
typedef struct {
    char *machine;    /* versioned: pc-q35-7.2 */
    char *cpu_model;  /* qemu64, host ... with its features */
    char *accel;      /* tcg, kvm */
} libxl_qemu_host_info;

typedef struct {
    int max_vcpus;
    int avail_vcpus; /* online at boot; JSON: a list of vcpu numbers */
    /* target 0: the same as max; video and shadow 0: the host's choice */
    uint64_t max_memkb, target_memkb, video_memkb, shadow_memkb;
    char *kernel, *cmdline, *ramdisk;
    char *device_model_override; /* QEMU binary */
    char **extra;                /* device_model_args, NULL-terminated */
    char *bios;                  /* seabios, ovmf */
    char *bios_path_override;
    char *boot;                  /* letters: a floppy, c disk, d cdrom, n net */
    bool acpi, apic, usb, localtime, nographic;
    int64_t rtc_timeoffset;
    char **usbdevice;
    char **serial;
    char *vga_kind; /* none, std, cirrus, qxl; NULL: the host's choice */
    char *keymap;
    libxl_vnc_info vnc;
} libxl_domain_build_info;

typedef struct {
    libxl_domain_create_info c_info;
    libxl_domain_build_info b_info;
    libxl_qemu_host_info qemu_host;
    libxl_device_disk *disks;
    int num_disks;
    libxl_device_nic *nics;
    int num_nics;
    libxl_device_vfio_user *vfio_users;
    int num_vfio_users;
    libxl_action_on_shutdown on_poweroff, on_reboot, on_watchdog, on_crash,
        on_soft_reset;
    /* Whole JSON object as read, for what is not modelled above: kept through
     * save, restore and migration. NULL when made from a config file. */
    char *foreign_json;
} libxl_domain_config;

void libxl_domain_config_init(libxl_domain_config *c);
void libxl_domain_config_dispose(libxl_domain_config *c);
/* malloc'ed JSON text; NULL: no memory. */
char *libxl_domain_config_to_json(libxl_ctx *ctx, const libxl_domain_config *c);
/* Strict: every field is checked for kind and range, and the first error is
 * logged with its path ("b_info.max_memkb"). *c is initialised here. */
int libxl_domain_config_from_json(libxl_ctx *ctx, libxl_domain_config *c,
                                  const char *json);
/* *dst is initialised here. */
int libxl_domain_config_copy(libxl_ctx *ctx, libxl_domain_config *dst,
                             const libxl_domain_config *src);
/* What must hold of any configuration, whatever the host: name, sizes, vdevs
 * and so on. ERROR_INVAL, logged with the field's path. */
int libxl_domain_config_check(libxl_ctx *ctx, const libxl_domain_config *c);
/* One more disk or nic, with the documented defaults; NULL: no memory. */
libxl_device_disk *libxl_domain_config_add_disk(libxl_domain_config *c);
libxl_device_nic *libxl_domain_config_add_nic(libxl_domain_config *c);
libxl_device_vfio_user *
libxl_domain_config_add_vfio_user(libxl_domain_config *c);

/* ---- texts ---- */

#define LIBXL_UUID_TEXT 37 /* with the NUL */
#define LIBXL_MAC_TEXT 18
void libxl_uuid_to_text(const libxl_uuid *uuid, char out[LIBXL_UUID_TEXT]);
bool libxl_uuid_from_text(const char *text, libxl_uuid *out);
int libxl_uuid_generate(libxl_uuid *out); /* random, version 4 */
bool libxl_uuid_is_nil(const libxl_uuid *uuid);
void libxl_mac_to_text(const libxl_mac mac, char out[LIBXL_MAC_TEXT]);
bool libxl_mac_from_text(const char *text, libxl_mac out);
/* JSON's names. NULL: not a value of the enum. */
const char *libxl_domain_type_to_string(libxl_domain_type v);
const char *libxl_action_on_shutdown_to_string(libxl_action_on_shutdown v);
const char *libxl_disk_format_to_string(libxl_disk_format v);
const char *libxl_disk_backend_to_string(libxl_disk_backend v);
/* false: no such name; *out is not touched. */
bool libxl_domain_type_from_string(const char *s, libxl_domain_type *out);
bool libxl_action_on_shutdown_from_string(const char *s,
                                          libxl_action_on_shutdown *out);
bool libxl_disk_format_from_string(const char *s, libxl_disk_format *out);
bool libxl_disk_backend_from_string(const char *s, libxl_disk_backend *out);

typedef struct {
    libxl_uuid uuid;
    uint32_t domid;
    char *name;
    bool running, blocked, paused, shutdown, dying;
    libxl_shutdown_reason shutdown_reason;
    uint64_t current_memkb, max_memkb, outstanding_memkb;
    uint64_t cpu_time; /* ns */
    uint32_t vcpu_online, vcpu_max_id;
    libxl_domain_type domain_type;
    bool never_started; /* restored or incoming: has not run here */
    int64_t started_at; /* seconds since the epoch; 0 unknown */
} libxl_dominfo;

void libxl_dominfo_dispose(libxl_dominfo *i);
void libxl_dominfo_list_free(libxl_dominfo *list, int nb_domain);

typedef struct {
    uint32_t vcpuid;
    int cpu; /* last seen on, -1 unknown */
    bool online, blocked, running;
    uint64_t vcpu_time; /* ns */
} libxl_vcpuinfo;

/* What `xl info` prints: an ordered list, so that a host kind can add keys. */
typedef struct {
    char *key, *value;
} libxl_host_fact;

void libxl_host_facts_free(libxl_host_fact *facts, int nr);

#endif
