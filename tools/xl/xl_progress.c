/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_progress.c - progress as a bar, lines or objects. */
#include "xl_progress.h"

#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGE_BYTES 4096u
#define MS 1000000u

static const uint64_t every_ns[] = {
    [XL_PROGRESS_LINES] = UINT64_C(3000) * MS,
    [XL_PROGRESS_BAR] = UINT64_C(100) * MS,
    [XL_PROGRESS_JSON] = UINT64_C(500) * MS,
};

void xl_progress_init(struct xl_progress *pr, bool always_bar)
{
    memset(pr, 0, sizeof(*pr));
    pr->to = stderr;
    pr->style = always_bar || isatty(STDERR_FILENO) ? XL_PROGRESS_BAR
                                                    : XL_PROGRESS_LINES;
}

void xl_progress_json(struct xl_progress *pr, FILE *to)
{
    pr->style = XL_PROGRESS_JSON;
    pr->to = to;
}

void xl_bytes_text(char *out, size_t size, uint64_t bytes)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double n = (double)bytes;
    int i = 0;

    while (n >= 1024 && i < 5) {
        n /= 1024;
        i++;
    }
    snprintf(out, size, n < 10 && i > 0 ? "%.1f %s" : "%.0f %s", n, unit[i]);
}

void xl_json_string(FILE *to, const char *text)
{
    putc('"', to);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(to, "\\%c", c);
        else if (c < 0x20)
            fprintf(to, "\\u%04x", c);
        else
            putc(c, to);
    }
    putc('"', to);
}

/* ---- one line ---- */

static uint64_t seconds_left(const libxl_progress *p)
{
    uint64_t left =
        p->total_pages > p->done_pages ? p->total_pages - p->done_pages : 0;

    return p->rate_bps ? left * PAGE_BYTES / p->rate_bps + 1 : 0;
}

static size_t add(char *out, size_t size, size_t n, const char *text)
{
    int r = n < size ? snprintf(out + n, size - n, "%s", text) : 0;

    return n + (size_t)(r > 0 ? r : 0);
}

static size_t add_bar(char *out, size_t size, size_t n, unsigned percent,
                      unsigned width)
{
    char bar[64];
    unsigned full;

    if (width > sizeof(bar) - 1)
        width = sizeof(bar) - 1;
    full = width * percent / 100;
    memset(bar, '.', width);
    memset(bar, '#', full);
    bar[width] = '\0';
    n = add(out, size, n, "[");
    n = add(out, size, n, bar);
    return add(out, size, n, "] ");
}

static size_t add_amount(char *out, size_t size, size_t n,
                         const libxl_progress *p)
{
    char done[32], total[32], text[96];

    xl_bytes_text(done, sizeof(done), p->done_pages * PAGE_BYTES);
    xl_bytes_text(total, sizeof(total), p->total_pages * PAGE_BYTES);
    if (p->total_pages)
        snprintf(text, sizeof(text), "%s of %s", done, total);
    else
        snprintf(text, sizeof(text), "%s", done);
    return add(out, size, n, text);
}

static size_t add_rate(char *out, size_t size, size_t n,
                       const libxl_progress *p)
{
    char rate[32], text[64];

    if (!p->rate_bps)
        return n;
    xl_bytes_text(rate, sizeof(rate), p->rate_bps);
    snprintf(text, sizeof(text), ", %s/s", rate);
    return add(out, size, n, text);
}

static void finished_text(char *out, size_t size, size_t n,
                          const libxl_progress *p)
{
    char bytes[32];

    xl_bytes_text(bytes, sizeof(bytes), p->bytes);
    n = add(out, size, n, "done, ");
    n = add(out, size, n, bytes);
    add_rate(out, size, n, p);
}

static void running_text(char *out, size_t size, size_t n,
                         const libxl_progress *p, unsigned width)
{
    char text[64];
    uint64_t percent = 0, left;

    if (p->total_pages) {
        percent = p->done_pages * 100 / p->total_pages;
        percent = percent > 100 ? 100 : percent;
        if (width)
            n = add_bar(out, size, n, (unsigned)percent, width);
        snprintf(text, sizeof(text), "%3u %% ", (unsigned)percent);
        n = add(out, size, n, text);
    }
    n = add_amount(out, size, n, p);
    n = add_rate(out, size, n, p);
    if (p->pass > 1) {
        snprintf(text, sizeof(text), ", pass %u", p->pass);
        n = add(out, size, n, text);
    }
    if (p->rate_bps && p->total_pages) {
        left = seconds_left(p);
        snprintf(text, sizeof(text), ", %" PRIu64 ":%02u left", left / 60,
                 (unsigned)(left % 60));
        add(out, size, n, text);
    }
}

void xl_progress_text(char *out, size_t size, const char *name,
                      const libxl_progress *p, unsigned width)
{
    char head[192];
    size_t n;

    snprintf(head, sizeof(head), "%s%s%s: ", p->what, name ? " " : "",
             name ? name : "");
    n = add(out, size, 0, head);
    if (p->finished)
        finished_text(out, size, n, p);
    else
        running_text(out, size, n, p, width);
}

/* ---- where it goes ---- */

static unsigned columns(FILE *to)
{
    struct winsize ws;

    if (ioctl(fileno(to), TIOCGWINSZ, &ws) || ws.ws_col < 20)
        return 80;
    return ws.ws_col;
}

static void show_bar(struct xl_progress *pr, const libxl_progress *p)
{
    unsigned width = columns(pr->to);
    char text[512];

    xl_progress_text(text, sizeof(text), pr->name, p,
                     width >= 100  ? 30
                     : width >= 80 ? 16
                                   : 0);
    if (strlen(text) >= width)
        text[width - 1] = '\0';
    fprintf(pr->to, "\r%s\033[K%s", text, p->finished ? "\n" : "");
    pr->bar_open = !p->finished;
}

static void show_json(struct xl_progress *pr, uint32_t domid,
                      const libxl_progress *p)
{
    fprintf(pr->to,
            "{\"event\":\"progress\",\"domid\":%" PRIu32 ",\"what\":", domid);
    xl_json_string(pr->to, p->what);
    fprintf(pr->to,
            ",\"pass\":%u,\"done_pages\":%" PRIu64 ",\"total_pages\":%" PRIu64
            ",\"bytes\":%" PRIu64 ",\"rate_bytes_per_s\":%" PRIu64
            ",\"dirty_pages_per_s\":%" PRIu64
            ",\"downtime_estimate_ms\":%" PRIu32 ",\"finished\":%s}\n",
            p->pass, p->done_pages, p->total_pages, p->bytes, p->rate_bps,
            p->dirty_pages_per_s, p->downtime_estimate_ms,
            p->finished ? "true" : "false");
}

void xl_progress_show(struct xl_progress *pr, uint32_t domid,
                      const libxl_progress *p, uint64_t now_ns)
{
    char text[256];

    if (!p->finished && pr->shown_ns &&
        now_ns - pr->shown_ns < every_ns[pr->style])
        return;
    /* The first call only starts the clock: what is over at once needs none. */
    if (!p->finished && !pr->shown_ns && pr->style == XL_PROGRESS_LINES) {
        pr->shown_ns = now_ns;
        return;
    }
    pr->shown_ns = now_ns;
    if (pr->style == XL_PROGRESS_BAR) {
        show_bar(pr, p);
    } else if (pr->style == XL_PROGRESS_JSON) {
        show_json(pr, domid, p);
    } else {
        xl_progress_text(text, sizeof(text), pr->name, p, 0);
        fprintf(pr->to, "%s\n", text);
    }
    fflush(pr->to);
}

void xl_progress_break(struct xl_progress *pr)
{
    if (pr->bar_open)
        fputs("\r\033[K", pr->to);
    pr->bar_open = false;
}
