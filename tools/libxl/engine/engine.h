/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * engine.h - SEAM 2: what operations see of the event engine.
 *
 * Operations know ctx, egc, ao, gc and the ev_* sources; they never see uv_*.
 * docs/specs/engine.md is the contract.
 */
#ifndef LIBXL_ENGINE_H
#define LIBXL_ENGINE_H

#include "engine/ao.h"
#include "engine/ao_join.h"
#include "engine/ctx.h"
#include "engine/egc.h"
#include "engine/ev_child.h"
#include "engine/ev_fd.h"
#include "engine/ev_file.h"
#include "engine/ev_time.h"
#include "engine/worker.h"

#endif
