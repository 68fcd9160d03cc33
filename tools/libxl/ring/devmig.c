/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/devmig.h"

#include <errno.h>
#include <stddef.h>

static const char *const names[DEVMIG_NR_STATES] = {
    [DEVMIG_ERROR] = "error",
    [DEVMIG_STOP] = "stopped",
    [DEVMIG_RUNNING] = "running",
    [DEVMIG_STOP_COPY] = "stop-and-copy",
    [DEVMIG_RESUMING] = "resuming",
    [DEVMIG_RUNNING_P2P] = "running, no peer-to-peer",
    [DEVMIG_PRE_COPY] = "pre-copy",
};

static const bool arcs[DEVMIG_NR_STATES][DEVMIG_NR_STATES] = {
    [DEVMIG_RUNNING][DEVMIG_STOP] = true,
    [DEVMIG_STOP][DEVMIG_RUNNING] = true,
    [DEVMIG_STOP][DEVMIG_STOP_COPY] = true,
    [DEVMIG_STOP_COPY][DEVMIG_STOP] = true,
    [DEVMIG_STOP][DEVMIG_RESUMING] = true,
    [DEVMIG_RESUMING][DEVMIG_STOP] = true,
    [DEVMIG_RUNNING][DEVMIG_PRE_COPY] = true,
    [DEVMIG_PRE_COPY][DEVMIG_RUNNING] = true,
    [DEVMIG_PRE_COPY][DEVMIG_STOP_COPY] = true,
};

/* next[from][to]; what is not listed has no way. A way never passes through
 * stop-and-copy, resuming or pre-copy: their data would be lost. */
#define E DEVMIG_ERROR
#define S DEVMIG_STOP
#define R DEVMIG_RUNNING
#define C DEVMIG_STOP_COPY
#define L DEVMIG_RESUMING
#define P DEVMIG_PRE_COPY
static const uint8_t next[DEVMIG_NR_STATES][DEVMIG_NR_STATES] = {
    /*      to: ERROR STOP RUN COPY RESUMING P2P PRE_COPY */
    [DEVMIG_ERROR] = {E, E, E, E, E, E, E},
    [DEVMIG_STOP] = {E, E, R, C, L, E, R},
    [DEVMIG_RUNNING] = {E, S, E, S, S, E, P},
    [DEVMIG_STOP_COPY] = {E, S, S, E, S, E, E},
    [DEVMIG_RESUMING] = {E, S, S, S, E, E, S},
    [DEVMIG_RUNNING_P2P] = {E, E, E, E, E, E, E},
    [DEVMIG_PRE_COPY] = {E, R, R, C, R, E, E},
};
#undef E
#undef S
#undef R
#undef C
#undef L
#undef P

const char *libxl__devmig_name(enum devmig_state s)
{
    return (unsigned)s < DEVMIG_NR_STATES ? names[s] : "no state";
}

bool libxl__devmig_is_arc(enum devmig_state from, enum devmig_state to)
{
    return (unsigned)from < DEVMIG_NR_STATES &&
           (unsigned)to < DEVMIG_NR_STATES && arcs[from][to];
}

enum devmig_state libxl__devmig_next(enum devmig_state from,
                                     enum devmig_state to)
{
    if ((unsigned)from >= DEVMIG_NR_STATES || (unsigned)to >= DEVMIG_NR_STATES)
        return DEVMIG_ERROR;
    return next[from][to];
}

int libxl__devmig_set_state(struct devmig *m, enum devmig_state to)
{
    if (!m->ops)
        return -ENOTSUP;
    if ((unsigned)to >= DEVMIG_NR_STATES || to == DEVMIG_ERROR ||
        to == DEVMIG_RUNNING_P2P)
        return -EINVAL;
    while (m->state != to) {
        enum devmig_state step = libxl__devmig_next(m->state, to);
        int r;

        if (step == DEVMIG_ERROR)
            return -EINVAL;
        r = m->ops->transition(m->dev, m->state, step);
        if (r)
            return r;
        /* pre-copy's stream goes on in stop-and-copy: so does its piece */
        if (m->state != DEVMIG_PRE_COPY || step != DEVMIG_STOP_COPY)
            m->piece_bytes = m->piece_done = 0;
        m->state = step;
    }
    return 0;
}

ssize_t libxl__devmig_read(struct devmig *m, void *buf, uint64_t bytes)
{
    ssize_t r;

    if (m->state != DEVMIG_STOP_COPY && m->state != DEVMIG_PRE_COPY)
        return -EINVAL;
    if (m->piece_done == m->piece_bytes) {
        r = m->ops->prepare_data(m->dev);
        if (r <= 0)
            return r;
        m->piece_bytes = (uint64_t)r;
        m->piece_done = 0;
    }
    if (bytes > m->piece_bytes - m->piece_done)
        bytes = m->piece_bytes - m->piece_done;
    r = m->ops->read_data(m->dev, buf, bytes, m->piece_done);
    if (r < 0)
        return r;
    m->piece_done += (uint64_t)r;
    return r;
}

uint64_t libxl__devmig_left(struct devmig *m)
{
    return m->piece_bytes - m->piece_done + m->ops->get_pending_bytes(m->dev);
}

int libxl__devmig_write(struct devmig *m, const void *buf, uint64_t bytes)
{
    ssize_t r;

    if (m->state != DEVMIG_RESUMING)
        return -EINVAL;
    r = m->ops->write_data(m->dev, buf, bytes, 0);
    if (r < 0)
        return (int)r;
    if ((uint64_t)r != bytes)
        return -EPROTO;
    return m->ops->data_written(m->dev, bytes);
}

static int any_transition(void *dev, enum devmig_state from,
                          enum devmig_state to)
{
    return 0;
}

static uint64_t none_pending(void *dev)
{
    return 0;
}

static ssize_t prepare_none(void *dev)
{
    return 0;
}

static ssize_t read_none(void *dev, void *buf, uint64_t bytes, uint64_t offset)
{
    return 0;
}

static ssize_t write_none(void *dev, const void *buf, uint64_t bytes,
                          uint64_t offset)
{
    return bytes ? -EPROTO : 0;
}

static int none_written(void *dev, uint64_t bytes)
{
    return 0;
}

const struct devmig_ops libxl__devmig_stateless = {
    .transition = any_transition,
    .get_pending_bytes = none_pending,
    .prepare_data = prepare_none,
    .read_data = read_none,
    .write_data = write_none,
    .data_written = none_written,
};
