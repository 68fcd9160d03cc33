/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_core.h - xl-agentd, the guest's end of the channel. PRIVATE to
 * agentd_*.c and xl_agentd_main.c.
 *
 * Owns:      the port, its peer, the configuration.
 * Thread:    loop thread only.
 * Rule:      the host is not trusted beyond the configuration: every path is
 *            checked after it was opened, every size bounded before it is
 *            allocated.
 */
#ifndef LIBXL_AGENTD_CORE_H
#define LIBXL_AGENTD_CORE_H

#include "agent/agent_peer.h"
#include "agent/agentd_conf.h"
#include "io/acceptor.h"

#define AGENTD_NAME "xl-agentd 1"

typedef struct agentd agentd;

enum agentd_method { AGENTD_VIRTIO_SERIAL, AGENTD_ISA_SERIAL, AGENTD_UNIX };

enum { AGENTD_MOUNTS_MAX = 256 };

/* Mount points of block devices, in order of mounting. */
struct agentd_points {
    char *at[AGENTD_MOUNTS_MAX]; /* from gc */
    size_t n;
};

/* A seam: tests freeze no real file system. */
struct agentd_mounts {
    /* all: 0 or errno. list: also then, what was found is in 'out' */
    int (*list)(libxl__gc *gc, struct agentd_points *out);
    int (*freeze)(const char *point);
    int (*thaw)(const char *point);
};

struct agentd {
    libxl_ctx *ctx;
    struct agentd_conf conf;
    enum agentd_method how;
    bool qga;          /* speak qemu-ga's dialect instead */
    const char *path;  /* NULL: found by the port's name */
    char *hello;       /* from the ctx's gc */
    int fd, listen_fd; /* -1: none */
    libxl__agent_peer peer;
    libxl__acceptor acceptor;
    libxl__ev_time retry;
    const char *trouble; /* said last, so that it is said once */
    /* agentd_clock.c: at the last hello; 0: there was none */
    int64_t host_ns, own_ns;
    /* agentd_freeze.c */
    const struct agentd_mounts *mounts;
    bool frozen;
    libxl__ev_time thaw;
};

/* ---- agentd_port.c: find, open, and open again ---- */
int libxl__agentd_port_start(agentd *d);

/* The other end has gone, the port is not watched any more. */
void libxl__agentd_gone(agentd *d, int errnoval);

/* ---- agentd_qga.c: on d->fd; ends in libxl__agentd_gone ---- */
int libxl__agentd_qga_start(agentd *d);
/* ---- agentd_qga_info.c: JSON of one line, from gc ---- */
char *libxl__agentd_qga_osinfo(libxl__gc *gc);
char *libxl__agentd_qga_hostname(libxl__gc *gc);
char *libxl__agentd_qga_interfaces(libxl__gc *gc);

/* ---- agentd_calls.c ---- */
/* Every method that is built and not disabled: a JSON list, from gc. */
char *libxl__agentd_methods(agentd *d, libxl__gc *gc);
void libxl__agentd_serve(libxl__egc *egc, libxl__agent_peer *peer,
                         libxl__agent_job *job);
/* "No such file" and the like: AGENT_E_SYSTEM with errno's text. */
void libxl__agentd_fail_errno(libxl__egc *egc, libxl__agent_job *job,
                              int errnoval);

typedef void agentd_call(libxl__egc *egc, agentd *d, libxl__agent_job *job);
/* ---- agentd_file.c ---- */
agentd_call libxl__agentd_getfile, libxl__agentd_viewfile,
    libxl__agentd_putfile;
/* ---- agentd_info.c ---- */
agentd_call libxl__agentd_info, libxl__agentd_viewdmesg, libxl__agentd_settime;
char *libxl__agentd_boot_id(libxl__gc *gc); /* NULL: none */
/* A value of /etc/os-release; NULL: not there. */
char *libxl__agentd_os_release(libxl__gc *gc, const char *key);
/* ---- agentd_clock.c ---- */
void libxl__agentd_hello(libxl__egc *egc, libxl__agent_peer *peer,
                         yajl_val hello);
/* ---- agentd_power.c ---- */
/* false: there is no such mode. */
bool libxl__agentd_power(agentd *d, const char *mode);
agentd_call libxl__agentd_shutdown;
/* ---- agentd_mounts.c: the kernel's ---- */
extern const struct agentd_mounts libxl__agentd_mounts;
/* ---- agentd_freeze.c ---- */
agentd_call libxl__agentd_fsfreeze, libxl__agentd_fsthaw;
/* ---- agentd_exec.c ---- */
agentd_call libxl__agentd_exec;

/* To syslog, or to stderr in the foreground. Silent while frozen: the log may
 * lie on a file system that would block us. */
void agentd_log(agentd *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
