/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * journal_table.c - what recovery does, as a table: one line a verb and step.
 * docs/specs/journal.md says why each line is as it is.
 */
#include "migrate/journal.h"

#include <assert.h>

static const char *const verb_names[JOURNAL_NR_VERBS] = {
    [JOURNAL_CREATE] = "create",   [JOURNAL_RESTORE] = "restore",
    [JOURNAL_SAVE] = "save",       [JOURNAL_SEND] = "send",
    [JOURNAL_RECEIVE] = "receive", [JOURNAL_DESTROY] = "destroy",
    [JOURNAL_RESTART] = "restart",
};

static const char *const step_names[JSTEP_NR] = {
    [JSTEP_BUILDING] = "building",
    [JSTEP_WRITING] = "writing",
    [JSTEP_COMMITTED] = "committed",
    [JSTEP_SAVED] = "saved",
    [JSTEP_GO] = "go",
    [JSTEP_GIVEN_BACK] = "given-back",
    [JSTEP_GIVEN_UP] = "given-up",
    [JSTEP_READY] = "ready",
    [JSTEP_DONE] = "done",
    [JSTEP_LATE] = "late",
};

static const enum libxl__journal_action actions[JOURNAL_NR_VERBS][JSTEP_NR] = {
    [JOURNAL_CREATE] = {[JSTEP_BUILDING] = JACT_DESTROY},
    [JOURNAL_RESTORE] = {[JSTEP_BUILDING] = JACT_DESTROY},
    [JOURNAL_SAVE] = {[JSTEP_WRITING] = JACT_RESUME,
                      [JSTEP_COMMITTED] = JACT_LOOK,
                      [JSTEP_SAVED] = JACT_FINISH,
                      [JSTEP_LATE] = JACT_AWAIT},
    [JOURNAL_SEND] = {[JSTEP_WRITING] = JACT_RESUME,
                      [JSTEP_GO] = JACT_ASK,
                      [JSTEP_GIVEN_BACK] = JACT_RESUME,
                      [JSTEP_DONE] = JACT_FINISH,
                      [JSTEP_LATE] = JACT_AWAIT},
    [JOURNAL_RECEIVE] = {[JSTEP_BUILDING] = JACT_DESTROY,
                         [JSTEP_READY] = JACT_ASK,
                         [JSTEP_GO] = JACT_RUN,
                         [JSTEP_GIVEN_UP] = JACT_DESTROY},
    [JOURNAL_DESTROY] = {[JSTEP_DONE] = JACT_FINISH},
    [JOURNAL_RESTART] = {[JSTEP_BUILDING] = JACT_END},
};

enum libxl__journal_action libxl__journal_action(enum libxl__journal_verb verb,
                                                 enum libxl__journal_step step)
{
    assert(verb < JOURNAL_NR_VERBS && step < JSTEP_NR);
    return actions[verb][step];
}

const char *libxl__journal_verb_name(enum libxl__journal_verb verb)
{
    assert(verb < JOURNAL_NR_VERBS);
    return verb_names[verb];
}

const char *libxl__journal_step_name(enum libxl__journal_step step)
{
    assert(step < JSTEP_NR);
    return step_names[step];
}
