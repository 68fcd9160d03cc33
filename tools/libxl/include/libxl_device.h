/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl_device.h - disks and network interfaces of a domain that runs. Included
 * by libxl.h.
 *
 * Owns:   lists and infos are the caller's, freed by the function of their
 * name. Errors: ERROR_NI: this host fixes devices when it creates a domain;
 *         ERROR_DEVICE_EXISTS; ERROR_NOTFOUND: there is no such device.
 */
#ifndef LIBXL_DEVICE_H
#define LIBXL_DEVICE_H

void libxl_device_disk_init(libxl_device_disk *disk);
void libxl_device_disk_dispose(libxl_device_disk *disk);
void libxl_device_nic_init(libxl_device_nic *nic);
void libxl_device_nic_dispose(libxl_device_nic *nic);

/* Fills what was left open: the backend; the number and the address. The guest
 * finds it by itself. *disk, *nic stay the caller's, until the ao completes. */
int libxl_device_disk_add(libxl_ctx *ctx, uint32_t domid,
                          libxl_device_disk *disk,
                          const libxl_asyncop_how *ao_how);
int libxl_device_nic_add(libxl_ctx *ctx, uint32_t domid, libxl_device_nic *nic,
                         const libxl_asyncop_how *ao_how);

/* The guest is asked, and may refuse: ERROR_TIMEDOUT. By vdev, by devid. */
int libxl_device_disk_safe_remove(libxl_ctx *ctx, uint32_t domid,
                                  libxl_device_disk *disk,
                                  const libxl_asyncop_how *ao_how);
int libxl_device_nic_remove(libxl_ctx *ctx, uint32_t domid,
                            libxl_device_nic *nic,
                            const libxl_asyncop_how *ao_how);
/* It is taken away, whatever the guest does with it. */
int libxl_device_disk_destroy(libxl_ctx *ctx, uint32_t domid,
                              libxl_device_disk *disk,
                              const libxl_asyncop_how *ao_how);
int libxl_device_nic_destroy(libxl_ctx *ctx, uint32_t domid,
                             libxl_device_nic *nic,
                             const libxl_asyncop_how *ao_how);

/* *num -1: it failed, and was logged. */
libxl_device_disk *libxl_device_disk_list(libxl_ctx *ctx, uint32_t domid,
                                          int *num);
void libxl_device_disk_list_free(libxl_device_disk *list, int num);
libxl_device_nic *libxl_device_nic_list(libxl_ctx *ctx, uint32_t domid,
                                        int *num);
void libxl_device_nic_list_free(libxl_device_nic *list, int num);

/* What both ends say of themselves; -1: nothing yet. */
typedef struct {
    char *backend, *frontend;
    uint32_t backend_id, frontend_id;
    int devid, state, evtch, rref;
} libxl_diskinfo;
typedef struct {
    char *backend, *frontend;
    uint32_t backend_id, frontend_id;
    int devid, state, evtch, rref_tx, rref_rx;
} libxl_nicinfo;
int libxl_device_disk_getinfo(libxl_ctx *ctx, uint32_t domid,
                              const libxl_device_disk *disk,
                              libxl_diskinfo *info);
void libxl_diskinfo_dispose(libxl_diskinfo *info);
int libxl_device_nic_getinfo(libxl_ctx *ctx, uint32_t domid,
                             const libxl_device_nic *nic, libxl_nicinfo *info);
void libxl_nicinfo_dispose(libxl_nicinfo *info);

#endif
