/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake_info.h - the questions of host.h, answered by the fake host.
 *
 * Thread:    loop thread only.
 * Errors:    as host.h says of these ops.
 */
#ifndef LIBXL_FAKE_INFO_H
#define LIBXL_FAKE_INFO_H

#include "host/host.h"

int libxl__fake_dominfo(libxl__host *h, libxl__gc *gc, uint32_t domid,
                        libxl_dominfo *out);
uint64_t libxl__fake_pulse(libxl__host *h, uint32_t domid);
int libxl__fake_facts(libxl__host *h, libxl_host_fact **out, int *nr);
libxl_vcpuinfo *libxl__fake_vcpus(libxl__host *h, uint32_t domid, int *nr);

#endif
