/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_paths.c - where Xen's own programs lie: distributions differ. */
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "host/xen_host.h"

static const char *const places[] = {
    "/usr/lib/xen-*/bin/%s",      "/usr/lib/xen-*/boot/%s",
    "/usr/libexec/xen/bin/%s",    "/usr/libexec/xen/boot/%s",
    "/usr/lib/xen/bin/%s",        "/usr/lib/xen/boot/%s",
    "/usr/local/lib/xen/bin/%s",  "/usr/local/lib/xen/boot/%s",
    "/usr/local/libexec/xen/bin/%s",
};

/* The last of several: the newest version. */
static const char *find(libxl__gc *gc, const char *pattern)
{
    const char *found = NULL;
    glob_t g;

    if (!pattern || glob(pattern, 0, NULL, &g))
        return NULL;
    if (g.gl_pathc)
        found = libxl__strdup(gc, g.gl_pathv[g.gl_pathc - 1]);
    globfree(&g);
    return found;
}

const char *libxl__xen_program(libxl__gc *gc, const char *name)
{
    const char *found = NULL;

    for (size_t i = 0; !found && i < sizeof(places) / sizeof(places[0]); i++) {
        const char *star = places[i];

        found = find(gc, libxl__sprintf(gc, "%.*s%s", (int)(strlen(star) - 2),
                                        star, name));
    }
    return found;
}

const char *libxl__xen_bios(libxl__gc *gc, const libxl_domain_config *config)
{
    static const char *const installed[] = {
        "/usr/share/seabios/bios-256k.bin",
        "/usr/lib/xen/boot/seabios.bin",
        "/usr/share/qemu/bios-256k.bin",
    };
    const char *own = config->b_info.bios_path_override;

    for (size_t i = 0; !own && i < sizeof(installed) / sizeof(installed[0]);
         i++)
        if (!access(installed[i], R_OK))
            own = installed[i];
    return own;
}

int libxl__xen_console_exec(libxl__host *h, uint32_t domid)
{
    const char *program, *id;
    libxl__gc gc;

    libxl__gc_init(&gc, h->ctx);
    program = libxl__xen_program(&gc, "xenconsole");
    id = libxl__sprintf(&gc, "%u", domid);
    if (!program)
        LOGD(h->ctx, domid, ERROR,
             "Xen's own program xenconsole is not installed");
    else if (id)
        execl(program, program, id, "--num", "0", (char *)NULL);
    if (program && id)
        LOGD(h->ctx, domid, ERROR, "%s cannot be started", program);
    libxl__gc_dispose(&gc);
    return ERROR_FAIL;
}
