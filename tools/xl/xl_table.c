/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_table.c - the lines of xl list and its kin. */
#include "xl_table.h"

#include <inttypes.h>
#include <string.h>

void xl_list_header(FILE *to, const struct xl_list_columns *cols)
{
    fprintf(to, "Name                                        ID   Mem VCPUs"
                "\tState\tTime(s)");
    if (cols->verbose)
        fprintf(to, "   UUID                            Reason-Code"
                    "\tSecurity Label");
    else if (cols->label)
        fprintf(to, "   Security Label");
    fprintf(to, "\n");
}

void xl_state_letters(const libxl_dominfo *info, char out[7])
{
    static const char reasons[] = "-rscwS"; /* by libxl_shutdown_reason */
    int reason = info->shutdown ? (int)info->shutdown_reason : -1;

    out[0] = info->running ? 'r' : '-';
    out[1] = info->blocked ? 'b' : '-';
    out[2] = info->paused ? 'p' : '-';
    out[3] = info->shutdown ? 's' : '-';
    out[4] =
        reason >= 0 && reason < (int)strlen(reasons) ? reasons[reason] : '-';
    out[5] = info->dying ? 'd' : '-';
    out[6] = '\0';
}

void xl_list_line(FILE *to, const struct xl_list_columns *cols,
                  const char *name, const libxl_dominfo *info)
{
    char state[7], uuid[LIBXL_UUID_TEXT];

    xl_state_letters(info, state);
    fprintf(to, "%-40s %5" PRIu32 " %5" PRIu64 " %5" PRIu32 "     %s  %8.1f",
            name, info->domid,
            (info->current_memkb + info->outstanding_memkb) / 1024,
            info->vcpu_online, state, (double)info->cpu_time / 1e9);
    if (cols->verbose) {
        libxl_uuid_to_text(&info->uuid, uuid);
        fprintf(to, " %s", uuid);
        if (info->shutdown)
            fprintf(to, " %8x", (unsigned)info->shutdown_reason);
        else
            fprintf(to, " %8s", "-");
    }
    if (cols->verbose || cols->label)
        fprintf(to, " %16s", "-");
    fprintf(to, "\n");
}

void xl_vcpu_header(FILE *to)
{
    fprintf(to, "%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU",
            "State", "Time(s)", "Affinity (Hard / Soft)");
}

void xl_vcpu_line(FILE *to, const char *name, uint32_t domid,
                  const libxl_vcpuinfo *vcpu)
{
    fprintf(to, "%-32s %5" PRIu32 " %5" PRIu32, name, domid, vcpu->vcpuid);
    if (!vcpu->online)
        fprintf(to, " %5c   %c%cp ", '-', '-', '-');
    else if (vcpu->cpu < 0)
        fprintf(to, " %5c   %c%c- ", '-', vcpu->running ? 'r' : '-',
                vcpu->blocked ? 'b' : '-');
    else
        fprintf(to, " %5d   %c%c- ", vcpu->cpu, vcpu->running ? 'r' : '-',
                vcpu->blocked ? 'b' : '-');
    fprintf(to, " %9.1f  all / all\n", (double)vcpu->vcpu_time / 1e9);
}

void xl_uptime_text(char *out, size_t size, uint64_t seconds)
{
    uint64_t days = seconds / 86400;
    unsigned h = (unsigned)(seconds / 3600 % 24);
    unsigned m = (unsigned)(seconds / 60 % 60), s = (unsigned)(seconds % 60);

    if (days > 1)
        snprintf(out, size, "%" PRIu64 " days, %2u:%02u:%02u", days, h, m, s);
    else if (days == 1)
        snprintf(out, size, "1 day, %2u:%02u:%02u", h, m, s);
    else
        snprintf(out, size, "%2u:%02u:%02u", h, m, s);
}
