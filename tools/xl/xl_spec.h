/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_spec.h - the small languages inside xl.cfg's strings: disks, vifs,
 * devices in processes of their own.
 * Pure.
 *
 * Owns:      the device's strings are malloc'ed and the device's, also when
 *            false is returned: its configuration frees them.
 * Errors:    false, and err says which part of the text is wrong.
 */
#ifndef XL_SPEC_H
#define XL_SPEC_H

#include <libxl.h>

#include "xl_cfg.h"

/* disk has libxl_domain_config_add_disk's defaults. */
bool xl_disk_parse(const char *spec, libxl_device_disk *disk,
                   struct xl_cfg_error *err);
bool xl_vfio_user_parse(const char *spec, libxl_device_vfio_user *dev,
                        struct xl_cfg_error *err);
bool xl_vif_parse(const char *spec, libxl_device_nic *nic,
                  struct xl_cfg_error *err);

#endif
