// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that does as it likes to the host's end of qemu-ga's dialect. The
 * input is a script of the bytes and lines that the guest writes, the calls
 * that are asked of it, and how much time passes. The line's bound must hold,
 * and a host that has nothing to do must sleep.
 */
#include <inttypes.h>
#include <stdio.h>

#include "agent/agent_qga.h"
#include "agent_fuzz.h"

#define OUT_BYTES_MAX (64u * 1024)

struct world {
    struct fuzz_rig rig;
    struct script script;
    libxl__agent_qga qga;
};

static void check(const struct world *w)
{
    const libxl__agent_qga *q = &w->qga;

    if (q->in_room > LIBXL__QGA_LINE_MAX || q->in_have > q->in_room ||
        q->tasks_nr > LIBXL__QGA_JOBS || q->out_have > OUT_BYTES_MAX ||
        q->out_put > q->out_have || (q->fd < 0 && q->tasks_nr))
        abort();
}

/* ---- what the guest says ---- */

static void say(struct world *w, const char *text)
{
    fuzz_write(&w->rig, text, strlen(text));
}

static void say_raw(struct world *w)
{
    size_t n;
    const uint8_t *p = script_bytes(&w->script, script_byte(&w->script), &n);

    fuzz_write(&w->rig, p, n);
}

/* Not one byte of it is a line. */
static void say_much(struct world *w)
{
    static char text[65536];

    memset(text, 'a' + script_byte(&w->script) % 26, sizeof(text));
    fuzz_write(&w->rig, text, sizeof(text));
}

static void say_synced(struct world *w)
{
    char text[64];

    snprintf(text, sizeof(text), "\xff{\"return\":%" PRIu64 "}\n",
             w->qga.sync_id);
    say(w, text);
}

static void say_answer(struct world *w)
{
    static const char *const answers[] = {
        "{\"return\":{}}\n",
        "{\"return\":7}\n",
        "{\"return\":-1}\n",
        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}\n",
        "{\"return\":{\"count\":4,\"buf-b64\":\"YWJjZA==\",\"eof\":false}}\n",
        "{\"return\":{\"count\":4,\"buf-b64\":\"YWJjZA==\",\"eof\":true}}\n",
        "{\"return\":{\"count\":4,\"buf-b64\":\"YW*jZA==\",\"eof\":true}}\n",
        "{\"return\":{\"pid\":3}}\n",
        "{\"return\":{\"exited\":false}}\n",
        "{\"return\":{\"exited\":true,\"out-data\":\"YWJjZA==\"}}\n",
        "{\"return\":{\"host-name\":\"h\"}}\n",
        "{\"return\":{\"pretty-name\":\"p\",\"kernel-release\":\"6\"}}\n",
        ("{\"return\":[{\"name\":\"e\",\"ip-addresses\":[{\"ip-address\":"
         "\"1.2.3.4\"},7]},{\"name\":3},[]]}\n"),
        "{\"return\":[]}\n",
        "{\"error\":7}\n",
        "{}\n",
    };

    say(w, answers[script_byte(&w->script) % 16]);
}

/* {"return": what the input says} */
static void say_return(struct world *w)
{
    size_t n;
    const uint8_t *p = script_bytes(&w->script, script_byte(&w->script), &n);

    say(w, "{\"return\":");
    fuzz_write(&w->rig, p, n);
    say(w, "}\n");
}

/* ---- what the host asks ---- */

/* A job whose command has gone: its answer is made, and thrown away. */
static libxl__agent_job *make_job(uint8_t which)
{
    static const char *const calls[][2] = {
        {"agent.ping", "{}"},
        {"agent.capabilities", "{}"},
        {"guest.info", "{}"},
        {"guest.viewfile", "{\"path\":\"/a\\\"b\"}"},
        {"guest.viewdmesg", "{}"},
        {"guest.shutdown", "{\"mode\":\"halt\"}"},
        {"guest.fsfreeze", "{}"},
        {"guest.settime", "{\"time_ns\":1}"},
        {"guest.getfile", "{}"},
        {"guest.fsthaw", "{}"},
        {"guest.shutdown", "{\"mode\":7}"},
        {"guest.viewfile", "{\"path\":\"a\"}"},
    };
    const char *const *call = calls[which % 12];
    libxl__agent_job *job = calloc(1, sizeof(*job));

    if (!job)
        abort();
    job->method = call[0];
    job->params = job->msg.root = yajl_tree_parse(call[1], NULL, 0);
    return job;
}

static void ask(struct world *w)
{
    libxl__egc egc;

    libxl__egc_begin(w->rig.ctx, &egc);
    libxl__agent_qga_serve(&egc, &w->qga, make_job(script_byte(&w->script)));
    libxl__egc_end(&egc);
}

static void do_one(struct world *w)
{
    uint8_t op = script_byte(&w->script);

    switch (op % 8) {
    case 0:
        say_raw(w);
        break;
    case 1:
        say_synced(w);
        break;
    case 2:
        say_answer(w);
        break;
    case 3:
        say_return(w);
        break;
    case 4:
        ask(w);
        break;
    case 5:
        fuzz_read(&w->rig, op / 8 + 1u);
        break;
    case 6:
        fuzz_pass(&w->rig, op / 8);
        break;
    default:
        say_much(w);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    libxl__egc egc;
    unsigned ops;

    memset(&w, 0, sizeof(w));
    w.script = (struct script){.p = data, .left = size};
    fuzz_rig_open(&w.rig);
    w.qga.ctx = w.rig.ctx;
    libxl__agent_qga_init(&w.qga);
    if (libxl__agent_qga_open(&w.qga, w.rig.host))
        abort();
    for (ops = 0; ops < FUZZ_OPS_MAX && w.script.left; ops++) {
        do_one(&w);
        check(&w);
    }
    fuzz_settle(&w.rig);
    fuzz_pass(&w.rig, 7);
    check(&w);
    libxl__egc_begin(w.rig.ctx, &egc);
    libxl__agent_qga_close(&egc, &w.qga);
    libxl__egc_end(&egc);
    check(&w);
    fuzz_rig_close(&w.rig);
    return 0;
}
