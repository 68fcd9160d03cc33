/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_table.h - the lines of xl list and its kin. Their columns are an
 * interface: other programs split them.
 */
#ifndef XL_TABLE_H
#define XL_TABLE_H

#include <stdio.h>

#include <libxl.h>

struct xl_list_columns {
    bool verbose; /* UUID, reason, label */
    bool label;
};

void xl_list_header(FILE *to, const struct xl_list_columns *cols);
void xl_list_line(FILE *to, const struct xl_list_columns *cols,
                  const char *name, const libxl_dominfo *info);
/* "rbpscd" with '-' for what does not hold; 6 letters and a NUL. */
void xl_state_letters(const libxl_dominfo *info, char out[7]);
void xl_vcpu_header(FILE *to);
void xl_vcpu_line(FILE *to, const char *name, uint32_t domid,
                  const libxl_vcpuinfo *vcpu);
/* 5 days, 3:04:05 */
void xl_uptime_text(char *out, size_t size, uint64_t seconds);

#endif
