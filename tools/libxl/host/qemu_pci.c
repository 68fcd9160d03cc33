/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_pci.c - chain: start -> config_answer ... -> asked -> script_done
 *              -> callback
 */
#include "host/qemu_pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"

enum { STEP_MS = 60000 };

#define HMP "human-monitor-command"
#define STEPS_A_DEVICE (2 * LIBXL__QEMU_PCI_WRITES)

static libxl__qemu_pci *pci_of_ask(libxl__dev_ask *ask)
{
    return CONTAINER_OF(ask, libxl__qemu_pci, ask);
}

static libxl__qemu_pci *pci_of_script(libxl__qmp_script *s)
{
    return CONTAINER_OF(s, libxl__qemu_pci, script);
}

void libxl__qemu_pci_init(libxl__qemu_pci *pci, libxl_ctx *ctx)
{
    memset(pci, 0, sizeof(*pci));
    pci->ctx = ctx;
    libxl__gc_init(&pci->gc, ctx);
    libxl__dev_ask_init(&pci->ask);
    libxl__qmp_script_init(&pci->script);
}

void libxl__qemu_pci_stop(libxl__qemu_pci *pci)
{
    libxl__dev_ask_stop(&pci->ask);
    libxl__qmp_script_stop(&pci->script);
    libxl__gc_dispose(&pci->gc);
    libxl__gc_init(&pci->gc, pci->ctx);
}

static void finish(libxl__egc *egc, libxl__qemu_pci *pci, int rc)
{
    libxl__qemu_pci_stop(pci);
    pci->callback(egc, pci, rc);
}

/* ---- what the devices say ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int config_answer(libxl__dev_ask *ask, unsigned index, const char *text)
{
    libxl__qemu_pci *pci = pci_of_ask(ask);
    const char *hex = text + 3;
    uint8_t *to;

    if (!strcmp(text, "none"))
        return 0;
    if (strncmp(text, "ok ", 3) || pci->nr == LIBXL__VFIO_MAX ||
        strlen(hex) != 2 * LIBXL__QEMU_PCI_HEADER)
        goto bad;
    to = pci->headers[pci->nr++];
    for (unsigned i = 0; i < LIBXL__QEMU_PCI_HEADER; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            goto bad;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
bad:
    LOGD(pci->ctx, pci->domid, ERROR,
         "device %u does not say what its PCI configuration is", index);
    return ERROR_FAIL;
}

/* ---- what QEMU is asked ---- */

static void add(libxl__qemu_pci *pci, const char *text)
{
    struct libxl__qmp_step *step = &pci->steps[pci->nr_steps++];

    step->command = HMP;
    step->args_json = libxl__sprintf(&pci->gc, "{\"command-line\":\"%s\"}",
                                     text);
}

/* "portl[0x0cf8] = 0x8000fb04": QEMU's migration has brought it, and the guest
 * may stand between its two accesses. */
static int keep_address(libxl__qmp_script *s, yajl_val answer)
{
    libxl__qemu_pci *pci = pci_of_script(s);
    const char *text = YAJL_IS_STRING(answer) ? YAJL_GET_STRING(answer) : "";
    const char *at = strstr(text, "] = 0x");
    char line[LIBXL__QEMU_PCI_TEXT];

    if (!at) {
        LOGD(pci->ctx, pci->domid, ERROR, "QEMU's monitor does not read ports");
        return ERROR_FAIL;
    }
    pci->address = (uint32_t)strtoul(at + 4, NULL, 16);
    snprintf(line, sizeof(line), "o /w 0xcf8 0x%x", pci->address);
    add(pci, line);
    pci->nr_steps--; /* its place was counted beforehand */
    return 0;
}

static void add_write(libxl__qemu_pci *pci, unsigned slot,
                      const struct libxl__qemu_pci_write *w)
{
    char line[LIBXL__QEMU_PCI_TEXT];

    snprintf(line, sizeof(line), "o /w 0xcf8 0x%x",
             1u << 31 | slot << 11 | (w->offset & ~3u));
    add(pci, line);
    snprintf(line, sizeof(line), "o /%c 0x%x 0x%x",
             w->bytes == 4 ? 'w' : w->bytes == 2 ? 'h' : 'b',
             0xcfcu + w->offset % 4, w->value);
    add(pci, line);
}

static void plan_recreate(libxl__qemu_pci *pci)
{
    struct libxl__qemu_pci_write writes[LIBXL__QEMU_PCI_WRITES];

    add(pci, "i /w 0xcf8");
    pci->steps[0].check = keep_address;
    for (unsigned i = 0; i < pci->nr; i++) {
        libxl__qemu_pci_plan(pci->headers[i], writes);
        for (unsigned k = 0; k < LIBXL__QEMU_PCI_WRITES; k++)
            add_write(pci, LIBXL__VFIO_SLOT + i, &writes[k]);
    }
}

/* Twice: an interrupt that was on its way to QEMU when the device stopped is
 * raised by the time of the second look, at the latest. */
static void plan_quiet(libxl__qemu_pci *pci)
{
    char line[LIBXL__QEMU_PCI_TEXT];

    for (unsigned i = 0; i < 2 * pci->nr; i++)
        if (libxl__qemu_pci_look(pci->headers[i % pci->nr], line))
            add(pci, line);
}

static void script_done(libxl__egc *egc, libxl__qmp_script *s, int rc,
                        yajl_val last)
{
    finish(egc, pci_of_script(s), rc);
}

static void asked(libxl__egc *egc, libxl__dev_ask *ask, int rc)
{
    libxl__qemu_pci *pci = pci_of_ask(ask);

    if (!rc && pci->nr) {
        pci->max_steps = 2 + STEPS_A_DEVICE * pci->nr;
        pci->steps = libxl__zalloc(&pci->gc,
                                   pci->max_steps * sizeof(*pci->steps));
        rc = pci->steps ? 0 : ERROR_NOMEM;
    }
    if (!rc && pci->nr && pci->recreate)
        plan_recreate(pci);
    else if (!rc && pci->nr)
        plan_quiet(pci);
    for (size_t i = 0; i < pci->nr_steps && !rc; i++)
        rc = pci->steps[i].args_json ? 0 : ERROR_NOMEM;
    if (rc || !pci->nr_steps) {
        finish(egc, pci, rc);
        return;
    }
    pci->script.ctx = pci->ctx;
    pci->script.domid = pci->domid;
    pci->script.dirfd = pci->dirfd;
    pci->script.steps = pci->steps;
    /* keep_address fills the last one */
    pci->script.nr_steps = pci->nr_steps + pci->recreate;
    pci->script.timeout_ms = STEP_MS;
    pci->script.callback = script_done;
    rc = libxl__qmp_script_start(egc, &pci->script);
    if (rc)
        finish(egc, pci, rc);
}

int libxl__qemu_pci_start(libxl__qemu_pci *pci)
{
    pci->nr = 0;
    pci->nr_steps = 0;
    pci->ask.ctx = pci->ctx;
    pci->ask.domid = pci->domid;
    pci->ask.dirfd = pci->dirfd;
    pci->ask.request = "config";
    pci->ask.answer = config_answer;
    pci->ask.callback = asked;
    return libxl__dev_ask_start(&pci->ask);
}
