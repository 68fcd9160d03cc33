/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd_agent_act.c - xl agent-fsfreeze, agent-fsthaw, agent-settime, agent-exec,
 * agent-putfile: what changes something in the guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "cmd_agent.h"

enum { PIECE_BYTES = 512 * 1024, ARGS_MAX = 64 };

/* ---- file systems and clock ---- */

int xl_cmd_agent_fsfreeze(struct xl *xl, int argc, char **argv)
{
    struct agent_args a;
    char params[48];
    int exit_code;

    if (!xl_agent_parse(xl, argc, argv, "w:t:s:J", 1, 1, &a, &exit_code))
        return exit_code;
    snprintf(params, sizeof(params), "{\"seconds\":%" PRIu64 "}", a.seconds);
    return xl_agent_show(xl, &a, "guest.fsfreeze", params);
}

int xl_cmd_agent_fsthaw(struct xl *xl, int argc, char **argv)
{
    struct agent_args a;
    int exit_code;

    if (!xl_agent_parse(xl, argc, argv, "w:t:J", 1, 1, &a, &exit_code))
        return exit_code;
    return xl_agent_show(xl, &a, "guest.fsthaw", NULL);
}

int xl_cmd_agent_settime(struct xl *xl, int argc, char **argv)
{
    struct timespec now;
    struct agent_args a;
    char params[64];
    int exit_code;

    if (!xl_agent_parse(xl, argc, argv, "w:t:J", 1, 1, &a, &exit_code))
        return exit_code;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(params, sizeof(params), "{\"time_ns\":%lld%09ld}",
             (long long)now.tv_sec, now.tv_nsec);
    return xl_agent_show(xl, &a, "guest.settime", params);
}

/* ---- a program of the guest's ---- */

static bool put_string(yajl_gen gen, const char *text)
{
    return !yajl_gen_string(gen, (const unsigned char *)text, strlen(text));
}

/* {"argv": [...]}, malloc'ed. */
static char *argv_json(char **argv, int n)
{
    yajl_gen gen = yajl_gen_alloc(NULL);
    const unsigned char *text;
    char *copy = NULL;
    size_t bytes;
    bool ok;

    if (!gen)
        return NULL;
    ok = !yajl_gen_map_open(gen) && put_string(gen, "argv") &&
         !yajl_gen_array_open(gen);
    while (ok && n-- > 0)
        ok = put_string(gen, *argv++);
    if (ok && !yajl_gen_array_close(gen) && !yajl_gen_map_close(gen) &&
        !yajl_gen_get_buf(gen, &text, &bytes))
        copy = strndup((const char *)text, bytes);
    yajl_gen_free(gen);
    return copy;
}

static long long status_of(const char *result_json)
{
    const char *path[] = {"status", NULL};
    yajl_val root = yajl_tree_parse(result_json, NULL, 0);
    yajl_val v = root ? yajl_tree_get(root, path, yajl_t_number) : NULL;
    long long status = YAJL_IS_INTEGER(v) ? YAJL_GET_INTEGER(v) : -1;

    yajl_tree_free(root);
    return status;
}

/* As waitpid gives it. */
static int judge(struct xl *xl, const char *program, long long status)
{
    int s = (int)status;

    if (status >= 0 && WIFEXITED(s) && !WEXITSTATUS(s))
        return XL_OK;
    if (status >= 0 && WIFEXITED(s))
        xl_error(xl, "in the guest, %s ended with status %d", program,
                 WEXITSTATUS(s));
    else if (status >= 0 && WIFSIGNALED(s))
        xl_error(xl, "in the guest, %s ended by signal %d", program,
                 WTERMSIG(s));
    else
        xl_error(xl, "the guest's agent does not tell how %s ended", program);
    return XL_FAILED;
}

int xl_cmd_agent_exec(struct xl *xl, int argc, char **argv)
{
    libxl_agent_reply reply;
    struct agent_args a;
    int exit_code;
    char *params;

    /* what comes after the domain is the program's */
    if (!xl_agent_parse(xl, argc, argv, "+w:t:", 2, ARGS_MAX + 1, &a,
                        &exit_code))
        return exit_code;
    params = argv_json(argv + optind + 1, argc - optind - 1);
    if (!params) {
        xl_error(xl, "the arguments are no text in UTF-8");
        return XL_FAILED;
    }
    exit_code = XL_FAILED;
    if (!xl_agent_ask(xl, &a, "guest.exec", params, NULL, 0, &reply)) {
        xl_agent_put_text(reply.data, reply.data_bytes);
        exit_code = judge(xl, argv[optind + 1], status_of(reply.result_json));
    }
    libxl_agent_reply_dispose(&reply);
    free(params);
    return xl_stdout_ok(xl) ? exit_code : XL_FAILED;
}

/* ---- a file into the guest ---- */

/* {"path": "...", "offset": N}, malloc'ed. */
static char *place_json(const char *path, uint64_t offset)
{
    yajl_gen gen = yajl_gen_alloc(NULL);
    const unsigned char *text;
    char *copy = NULL;
    size_t bytes;

    if (!gen)
        return NULL;
    if (!yajl_gen_map_open(gen) && put_string(gen, "path") &&
        put_string(gen, path) && put_string(gen, "offset") &&
        !yajl_gen_integer(gen, (long long)offset) && !yajl_gen_map_close(gen) &&
        !yajl_gen_get_buf(gen, &text, &bytes))
        copy = strndup((const char *)text, bytes);
    yajl_gen_free(gen);
    return copy;
}

static int put_piece(struct xl *xl, const struct agent_args *a,
                     const char *path, uint64_t offset, const void *piece,
                     size_t bytes)
{
    char *params = place_json(path, offset);
    libxl_agent_reply reply;
    int rc;

    if (!params) {
        xl_error(xl, "%s is no text in UTF-8", path);
        return ERROR_INVAL;
    }
    rc = xl_agent_ask(xl, a, "guest.putfile", params, piece, bytes, &reply);
    libxl_agent_reply_dispose(&reply);
    free(params);
    return rc;
}

/* Fills the buffer, if there is so much. */
static ssize_t read_piece(int fd, char *buf)
{
    size_t have = 0;
    ssize_t n;

    while (have < PIECE_BYTES) {
        n = read(fd, buf + have, PIECE_BYTES - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (!n)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

/* The first piece also makes the file, and empties it. */
static int put_all(struct xl *xl, const struct agent_args *a, int fd,
                   const char *from, const char *path)
{
    char *buf = malloc(PIECE_BYTES);
    uint64_t offset = 0;
    ssize_t n;
    int rc = 0;

    if (!buf) {
        xl_error(xl, "no memory");
        return ERROR_NOMEM;
    }
    do {
        n = read_piece(fd, buf);
        if (n < 0) {
            xl_error(xl, "cannot read %s: %s", from, strerror(errno));
            rc = ERROR_FAIL;
        } else if (n || !offset) {
            rc = put_piece(xl, a, path, offset, buf, (size_t)n);
            offset += (uint64_t)n;
        }
    } while (!rc && n == PIECE_BYTES);
    free(buf);
    if (!rc)
        xl_say(xl, "%" PRIu64 " bytes to %s", offset, path);
    return rc;
}

int xl_cmd_agent_putfile(struct xl *xl, int argc, char **argv)
{
    struct agent_args a;
    const char *from;
    int exit_code, fd, rc;

    if (!xl_agent_parse(xl, argc, argv, "w:t:", 3, 3, &a, &exit_code))
        return exit_code;
    from = argv[optind + 1];
    fd = strcmp(from, "-") ? open(from, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (fd < 0) {
        xl_error(xl, "cannot open %s: %s", from, strerror(errno));
        return XL_FAILED;
    }
    rc = put_all(xl, &a, fd, from, argv[optind + 2]);
    if (fd != STDIN_FILENO)
        close(fd);
    return rc ? XL_FAILED : XL_OK;
}
