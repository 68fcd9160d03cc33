/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd_agent.c - xl agent-ping, agent-capabilities, agent-info, agent-viewfile,
 * agent-getfile, agent-viewdmesg, agent-shutdown, agent-call.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "cmd_agent.h"

static bool number(struct xl *xl, const char *text, uint64_t max, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !errno && !*end && *out <= max)
        return true;
    xl_error(xl, "'%s' is not a number from 0 to %" PRIu64, text, max);
    return false;
}

static bool take_option(struct xl *xl, int c, struct agent_args *a)
{
    uint64_t n = 0;

    switch (c) {
    case 'J':
        a->json = true;
        return true;
    case 'V':
        a->verify = true;
        return true;
    case 'w':
        if (!number(xl, optarg, 86400, &n))
            return false;
        a->wait_ms = (uint32_t)n * 1000;
        return true;
    case 't':
        if (!number(xl, optarg, 3600, &n))
            return false;
        a->timeout_ms = (uint32_t)n * 1000;
        return true;
    case 's':
        return number(xl, optarg, 60, &a->seconds);
    case 'c':
        return number(xl, optarg, UINT32_MAX, &a->count);
    case 'j':
        if (!number(xl, optarg, 16, &n))
            return false;
        a->parallel = (uint32_t)n;
        return true;
    case 'H':
        a->mode = "halt";
        return true;
    case 'r':
        a->mode = "reboot";
        return true;
    }
    return false;
}

static const struct option agent_longs[] = {
    {"json", no_argument, NULL, 'J'},
    {"wait", required_argument, NULL, 'w'},
    {"timeout", required_argument, NULL, 't'},
    {"count", required_argument, NULL, 'c'},
    {"parallel", required_argument, NULL, 'j'},
    {"verify", no_argument, NULL, 'V'},
    {"seconds", required_argument, NULL, 's'},
};

enum { LONGS = sizeof(agent_longs) / sizeof(agent_longs[0]) };

/* Those that a command takes; J and V have no short form. */
static void pick_options(const char *takes, char shorts[32],
                         struct option longs[LONGS + 1])
{
    size_t i, n = 0;

    for (i = 0; i < LONGS; i++)
        if (strchr(takes, agent_longs[i].val))
            longs[n++] = agent_longs[i];
    longs[n] = (struct option){0};
    for (n = 0; *takes && n < 31; takes++)
        if (*takes != 'J' && *takes != 'V')
            shorts[n++] = *takes;
    shorts[n] = '\0';
}

bool xl_agent_parse(struct xl *xl, int argc, char **argv, const char *takes,
                    int min, int max, struct agent_args *a, int *exit_code)
{
    struct option longs[LONGS + 1];
    char shorts[32];
    int c;

    pick_options(takes, shorts, longs);
    *a = (struct agent_args){
        .count = 1, .parallel = 1, .mode = "powerdown", .seconds = 10};
    while ((c = xl_getopt(xl, argc, argv, shorts, longs, exit_code)) !=
           XL_OPT_END) {
        if (c == XL_OPT_EXIT)
            return false;
        *exit_code = XL_USAGE;
        if (!take_option(xl, c, a))
            return false;
    }
    *exit_code = XL_USAGE;
    if (!xl_count_args(xl, argc, min, max))
        return false;
    *exit_code = XL_FAILED;
    return xl_find_domain(xl, argv[optind], &a->domid);
}

int xl_agent_ask(struct xl *xl, const struct agent_args *a, const char *method,
                 const char *params, const void *data, size_t data_bytes,
                 libxl_agent_reply *reply)
{
    const libxl_agent_how how = {
        .method = method,
        .params_json = params,
        .data = data,
        .data_bytes = data_bytes,
        .timeout_ms = a->timeout_ms,
        .wait_ms = a->wait_ms,
    };
    int rc;

    xl_interruptible_begin(xl);
    rc = libxl_agent_call(xl->ctx, a->domid, &how, reply, NULL);
    xl_interruptible_end(xl);
    return rc;
}

/* {"KEY": "value"}, malloc'ed. */
static char *one_string(const char *key, const char *value)
{
    yajl_gen gen = yajl_gen_alloc(NULL);
    const unsigned char *text;
    char *copy = NULL;
    size_t bytes;

    if (!gen)
        return NULL;
    if (!yajl_gen_map_open(gen) &&
        !yajl_gen_string(gen, (const unsigned char *)key, strlen(key)) &&
        !yajl_gen_string(gen, (const unsigned char *)value, strlen(value)) &&
        !yajl_gen_map_close(gen) && !yajl_gen_get_buf(gen, &text, &bytes))
        copy = strndup((const char *)text, bytes);
    yajl_gen_free(gen);
    return copy;
}

/* ---- what came from a guest goes to a terminal ---- */

void xl_agent_put_text(const char *text, size_t bytes)
{
    bool tty = isatty(STDOUT_FILENO);
    unsigned char c, before = 0;
    size_t i;

    if (!tty && bytes)
        fwrite(text, 1, bytes, stdout);
    for (i = 0; tty && i < bytes; i++, before = c) {
        c = (unsigned char)text[i];
        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ||
            (before == 0xc2 && c >= 0x80 && c < 0xa0)) /* C1, in UTF-8 */
            putchar('?');
        else
            putchar(c);
    }
}

static void print_scalar(yajl_val v)
{
    if (YAJL_IS_STRING(v))
        xl_agent_put_text(v->u.string, strlen(v->u.string));
    else if (YAJL_IS_NUMBER(v))
        printf("%s", YAJL_GET_NUMBER(v));
    else if (YAJL_IS_TRUE(v) || YAJL_IS_FALSE(v))
        printf("%s", YAJL_IS_TRUE(v) ? "true" : "false");
}

static void print_item(yajl_val v)
{
    size_t i;

    if (!YAJL_IS_OBJECT(v)) {
        print_scalar(v);
        return;
    }
    for (i = 0; i < v->u.object.len; i++) {
        printf("%s", i ? " " : "");
        print_scalar(v->u.object.values[i]);
    }
}

/* One line a key; lists: one line an element. */
static void print_result(const char *json)
{
    yajl_val v = yajl_tree_parse(json, NULL, 0), value;
    size_t i, k;

    for (i = 0; YAJL_IS_OBJECT(v) && i < v->u.object.len; i++) {
        value = v->u.object.values[i];
        if (!YAJL_IS_ARRAY(value)) {
            printf("%-20s : ", v->u.object.keys[i]);
            print_item(value);
            putchar('\n');
            continue;
        }
        for (k = 0; k < value->u.array.len; k++) {
            printf("%-20s : ", v->u.object.keys[i]);
            print_item(value->u.array.values[k]);
            putchar('\n');
        }
    }
    yajl_tree_free(v);
}

int xl_agent_show(struct xl *xl, const struct agent_args *a, const char *method,
                  const char *params)
{
    libxl_agent_reply reply;
    int rc = xl_agent_ask(xl, a, method, params, NULL, 0, &reply);

    if (!rc && a->json)
        fputs(reply.result_json, stdout);
    else if (!rc && reply.data)
        xl_agent_put_text(reply.data, reply.data_bytes);
    else if (!rc)
        print_result(reply.result_json);
    libxl_agent_reply_dispose(&reply);
    return rc || !xl_stdout_ok(xl) ? XL_FAILED : XL_OK;
}

static bool is_truncated(const char *result_json)
{
    const char *path[] = {"truncated", NULL};
    yajl_val root = yajl_tree_parse(result_json, NULL, 0);
    bool truncated =
        root && YAJL_IS_TRUE(yajl_tree_get(root, path, yajl_t_any));

    yajl_tree_free(root);
    return truncated;
}

/* A call that answers text: a file, a log. */
static int show_text(struct xl *xl, const struct agent_args *a,
                     const char *method, const char *params,
                     const char *missing)
{
    libxl_agent_reply reply;
    int rc = xl_agent_ask(xl, a, method, params, NULL, 0, &reply);

    if (!rc)
        xl_agent_put_text(reply.data, reply.data_bytes);
    if (!rc && is_truncated(reply.result_json))
        xl_warn(xl, "%s", missing);
    libxl_agent_reply_dispose(&reply);
    return rc || !xl_stdout_ok(xl) ? XL_FAILED : XL_OK;
}

/* ---- the commands ---- */

static void print_ping(const struct agent_args *a,
                       const libxl_agent_ping_stats *s)
{
    double total = (double)s->total_ns / 1e9;

    if (a->json)
        printf("{\"calls\": %" PRIu64
               ", \"parallel\": %u, \"total_ns\": %" PRIu64
               ", \"min_ns\": %" PRIu64 ", \"mean_ns\": %" PRIu64
               ", \"max_ns\": %" PRIu64 "}\n",
               s->calls, a->parallel, s->total_ns, s->min_ns, s->mean_ns,
               s->max_ns);
    else if (s->calls == 1)
        printf("the agent answers after %.3f ms\n", (double)s->mean_ns / 1e6);
    else
        printf("%" PRIu64 " answers in %.3f s: %.0f a second; "
               "min %.3f, mean %.3f, max %.3f ms\n",
               s->calls, total, total > 0 ? (double)s->calls / total : 0,
               (double)s->min_ns / 1e6, (double)s->mean_ns / 1e6,
               (double)s->max_ns / 1e6);
}

int xl_cmd_agent_ping(struct xl *xl, int argc, char **argv)
{
    libxl_agent_ping_stats stats;
    struct agent_args a;
    int exit_code, rc;

    if (!xl_agent_parse(xl, argc, argv, "w:c:j:J", 1, 1, &a, &exit_code))
        return exit_code;
    xl_interruptible_begin(xl);
    rc = libxl_agent_ping(xl->ctx, a.domid, a.count, a.parallel, a.wait_ms,
                          &stats, NULL);
    xl_interruptible_end(xl);
    if (rc)
        return XL_FAILED;
    print_ping(&a, &stats);
    return xl_stdout_ok(xl) ? XL_OK : XL_FAILED;
}

static int simple(struct xl *xl, int argc, char **argv, const char *method)
{
    struct agent_args a;
    int exit_code;

    if (!xl_agent_parse(xl, argc, argv, "w:t:J", 1, 1, &a, &exit_code))
        return exit_code;
    return xl_agent_show(xl, &a, method, NULL);
}

int xl_cmd_agent_capabilities(struct xl *xl, int argc, char **argv)
{
    return simple(xl, argc, argv, "agent.capabilities");
}

int xl_cmd_agent_info(struct xl *xl, int argc, char **argv)
{
    return simple(xl, argc, argv, "guest.info");
}

int xl_cmd_agent_viewdmesg(struct xl *xl, int argc, char **argv)
{
    struct agent_args a;
    int exit_code;

    if (!xl_agent_parse(xl, argc, argv, "w:t:", 1, 1, &a, &exit_code))
        return exit_code;
    return show_text(xl, &a, "guest.viewdmesg", NULL,
                     "that is the end of a longer log");
}

int xl_cmd_agent_viewfile(struct xl *xl, int argc, char **argv)
{
    struct agent_args a;
    int exit_code;
    char *params;

    if (!xl_agent_parse(xl, argc, argv, "w:t:", 2, 2, &a, &exit_code))
        return exit_code;
    params = one_string("path", argv[optind + 1]);
    if (!params) {
        xl_error(xl, "the path is no text in UTF-8");
        return XL_FAILED;
    }
    exit_code = show_text(xl, &a, "guest.viewfile", params,
                          "that is the beginning of a longer file: "
                          "xl agent-getfile copies all of it");
    free(params);
    return exit_code;
}

int xl_cmd_agent_shutdown(struct xl *xl, int argc, char **argv)
{
    struct agent_args a;
    char params[32];
    int exit_code;

    if (!xl_agent_parse(xl, argc, argv, "w:t:HrJ", 1, 1, &a, &exit_code))
        return exit_code;
    snprintf(params, sizeof(params), "{\"mode\":\"%s\"}", a.mode);
    return xl_agent_show(xl, &a, "guest.shutdown", params);
}

int xl_cmd_agent_call(struct xl *xl, int argc, char **argv)
{
    struct agent_args a;
    int exit_code;

    if (!xl_agent_parse(xl, argc, argv, "w:t:J", 2, 3, &a, &exit_code))
        return exit_code;
    return xl_agent_show(xl, &a, argv[optind + 1],
                         optind + 2 < argc ? argv[optind + 2] : NULL);
}

static bool agent_is_up(struct xl *xl, uint32_t domid)
{
    const libxl_agent_how how = {.method = "hub.status", .quiet = true};
    libxl_agent_reply reply;
    bool up;

    up = !libxl_agent_call(xl->ctx, domid, &how, &reply, NULL) &&
         strstr(reply.result_json, "true");
    libxl_agent_reply_dispose(&reply);
    return up;
}

bool xl_agent_power(struct xl *xl, uint32_t domid, bool reboot)
{
    const libxl_agent_how how = {
        .method = "guest.shutdown",
        .params_json =
            reboot ? "{\"mode\":\"reboot\"}" : "{\"mode\":\"powerdown\"}",
        .timeout_ms = 5000,
        .quiet = true,
    };
    libxl_agent_reply reply;
    bool done;

    if (!agent_is_up(xl, domid))
        return false;
    done = !libxl_agent_call(xl->ctx, domid, &how, &reply, NULL);
    libxl_agent_reply_dispose(&reply);
    return done;
}

static int get_into(struct xl *xl, const struct agent_args *a, const char *path,
                    int fd)
{
    uint64_t bytes = 0;
    int rc;

    xl_interruptible_begin(xl);
    rc = libxl_agent_getfile(xl->ctx, a->domid, path, fd, a->verify, a->wait_ms,
                             &bytes, NULL);
    xl_interruptible_end(xl);
    if (!rc)
        xl_say(xl, "%" PRIu64 " bytes of %s", bytes, path);
    return rc;
}

/* A new file: half of one is taken away again. */
static int get_to_file(struct xl *xl, const struct agent_args *a,
                       const char *path, const char *to)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc;

    if (fd < 0) {
        xl_error(xl, "cannot make %s: %s", to, strerror(errno));
        return XL_FAILED;
    }
    rc = get_into(xl, a, path, fd);
    if (close(fd) && !rc) {
        xl_error(xl, "cannot write %s: %s", to, strerror(errno));
        rc = ERROR_FAIL;
    }
    if (rc)
        unlink(to);
    return rc ? XL_FAILED : XL_OK;
}

int xl_cmd_agent_getfile(struct xl *xl, int argc, char **argv)
{
    struct agent_args a;
    const char *path, *to, *slash;
    int exit_code;

    if (!xl_agent_parse(xl, argc, argv, "w:V", 2, 3, &a, &exit_code))
        return exit_code;
    path = argv[optind + 1];
    slash = strrchr(path, '/');
    to = optind + 2 < argc ? argv[optind + 2] : slash ? slash + 1 : path;
    if (!strcmp(to, "-"))
        return get_into(xl, &a, path, STDOUT_FILENO) ? XL_FAILED : XL_OK;
    return get_to_file(xl, &a, path, to);
}
