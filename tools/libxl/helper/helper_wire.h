/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * helper_wire.h - messages between toolstack and save helper
 * (docs/specs/save-helper.md). Codec.
 *
 * Owns:      nothing.
 * Errors:    0, or a negative errno: -EMSGSIZE a length beyond the limit,
 *            -EPROTO any other broken rule.
 * Units:     little-endian. A frame is u32 body bytes, u16 number, u16 zero,
 *            then the body: the message's fields in table order, a text last,
 *            without NUL, as long as the body says.
 */
#ifndef LIBXL_HELPER_WIRE_H
#define LIBXL_HELPER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBXL__HW_HEADER_BYTES 8u
#define LIBXL__HW_TEXT_MAX 2000u
#define LIBXL__HW_BODY_MAX 2048u
#define LIBXL__HW_FRAME_MAX (LIBXL__HW_HEADER_BYTES + LIBXL__HW_BODY_MAX)
#define LIBXL__HW_VERSION 3u

/* The fds of the child, fixed; those above 3 are there when setup says so. */
enum libxl__hw_fd {
    LIBXL__HW_FD_CONTROL = 0, /* a stream socket, both directions */
    LIBXL__HW_FD_STREAM = 3,
    LIBXL__HW_FD_MEMORY,
    LIBXL__HW_FD_PAGEMAP,
    LIBXL__HW_FD_UFFD,
    LIBXL__HW_FD_CLEAR_REFS,
    LIBXL__HW_FD_DEV_LOG,
    LIBXL__HW_NR_FDS,
};

enum libxl__hw_hv {
    LIBXL__HW_HV_FAKE,
    LIBXL__HW_HV_QEMU,
    LIBXL__HW_HV_XEN,
    LIBXL__HW_HV_FAKE_XEN, /* a fake guest as on a Xen host */
};

/*   number, NAME, member, spoken by, answered with REPLY */
#define LIBXL__HW_MESSAGES(X)                                                  \
    X(1, SETUP, setup, PARENT, false)                                          \
    X(2, REPLY, reply, PARENT, false)                                          \
    X(3, TAKES_XALLOC, takes_xalloc, PARENT, false)                            \
    X(16, LOG, log, CHILD, false)                                              \
    X(17, PROGRESS, progress, CHILD, false)                                    \
    X(18, SUSPEND, suspend, CHILD, true)                                       \
    X(19, SWITCH_DM_LOGDIRTY, logdirty, CHILD, true)                           \
    X(20, STATIC_DATA_DONE, static_data, CHILD, true)                          \
    X(21, RESULTS, results, CHILD, false)                                      \
    X(22, COMPLETE, complete, CHILD, false)

#define LIBXL__HW_ENUM(number, NAME, member, speaker, answered)                \
    LIBXL__HW_##NAME = number,
enum libxl__hw_number { LIBXL__HW_MESSAGES(LIBXL__HW_ENUM) };
#undef LIBXL__HW_ENUM

enum libxl__hw_speaker { LIBXL__HW_PARENT, LIBXL__HW_CHILD };

struct libxl__hw_text {
    uint32_t bytes;
    char s[LIBXL__HW_TEXT_MAX + 1]; /* NUL-terminated here */
};

struct libxl__hw_setup {
    uint32_t version, hv, restore, domid, fds; /* fds: bit N: fd N is there */
    uint64_t memory_bytes, qemu_va;
    int32_t qemu_pid, parent_pid;
    uint32_t live, verify, zero_as_xalloc, by_reference, leave_log;
    uint32_t rest_ms; /* of a stop, besides its memory */
    uint32_t max_downtime_ms, max_iters, min_remaining_pages, abort_if_busy;
    uint32_t timeout_ms;
    uint64_t bandwidth_bps;
    uint32_t store_port, console_port; /* Xen, restore */
};
struct libxl__hw_reply {
    int32_t r; /* 0 or negative errno */
};
struct libxl__hw_log {
    uint32_t level; /* as enum xc_log_level: 0 debug .. 3 error */
    int32_t errnoval;
    struct libxl__hw_text text;
};
struct libxl__hw_progress {
    uint32_t pass, finished, downtime_estimate_ms;
    uint64_t done_pages, total_pages, bytes, rate_bps, dirty_pages_per_s;
};
struct libxl__hw_logdirty {
    uint32_t enable;
};
struct libxl__hw_static_data {
    uint32_t missing;
};
struct libxl__hw_results {
    uint64_t store_pfn, console_pfn;
    uint64_t bytes, data_pages, zero_pages, passes;
};
struct libxl__hw_complete {
    int32_t r; /* 0 or negative errno */
};

struct libxl__hw_msg {
    enum libxl__hw_number number;
    union {
        struct libxl__hw_setup setup;
        struct libxl__hw_reply reply;
        struct libxl__hw_log log;
        struct libxl__hw_progress progress;
        struct libxl__hw_logdirty logdirty;
        struct libxl__hw_static_data static_data;
        struct libxl__hw_results results;
        struct libxl__hw_complete complete;
    } u;
};

const char *libxl__hw_name(unsigned number); /* "SUSPEND"; "?" unknown */
bool libxl__hw_answered(enum libxl__hw_number number);

/* A frame's header: body bytes to follow, checked against the limit. */
int libxl__hw_decode_header(const uint8_t raw[LIBXL__HW_HEADER_BYTES],
                            uint32_t *body_bytes, uint16_t *number);
/* The body of a message that 'speaker' may send: exactly its fields. */
int libxl__hw_decode(enum libxl__hw_speaker speaker, uint16_t number,
                     const void *body, size_t bytes, struct libxl__hw_msg *out);
/* The whole frame; returns its bytes. A text that is too long is cut. */
size_t libxl__hw_encode(const struct libxl__hw_msg *msg,
                        uint8_t frame[LIBXL__HW_FRAME_MAX]);
/* Sets a LOG message's text, cut to the limit. */
void libxl__hw_set_text(struct libxl__hw_text *t, const char *s);

#endif
