/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/demo_state.h"

#include <string.h>

#include "ring/vfu_wire.h"

#define MAGIC 0x314d4458u
#define VERSION 1u
#define CONFIG_AT 88u

/* Byte i of the ballast: nothing that repeats soon, or that is zero. */
static uint8_t ballast_byte(uint64_t i)
{
    uint64_t x = (i >> 3) * UINT64_C(0x9e3779b97f4a7c15) + 1;

    x ^= x >> 29;
    return (uint8_t)(x >> 8 * (i & 7)) | 1u;
}

static void put_head(struct demo_saver *s, uint32_t kind, uint32_t bytes)
{
    libxl__vfu_put32(s->buf, kind);
    libxl__vfu_put32(s->buf + 4, bytes);
    s->item_bytes = DEMO_ITEM_HEAD + bytes;
}

void libxl__demo_saver_init(struct demo_saver *s, uint64_t ballast)
{
    s->ballast = s->ballast_left = ballast;
    s->regs_done = false;
    s->item_bytes = 0;
}

uint64_t libxl__demo_saver_left(const struct demo_saver *s)
{
    uint64_t items = (s->ballast_left + DEMO_BALLAST_STEP - 1) /
                     DEMO_BALLAST_STEP;

    return s->ballast_left + items * DEMO_ITEM_HEAD +
           (s->regs_done ? 0 : DEMO_ITEM_HEAD + DEMO_REGS_BYTES);
}

uint32_t libxl__demo_saver_ballast(struct demo_saver *s)
{
    uint64_t at = s->ballast - s->ballast_left;
    uint32_t n = s->ballast_left < DEMO_BALLAST_STEP
                     ? (uint32_t)s->ballast_left
                     : DEMO_BALLAST_STEP;

    if (!n)
        return 0;
    put_head(s, DEMO_ITEM_BALLAST, n);
    for (uint32_t i = 0; i < n; i++)
        s->buf[DEMO_ITEM_HEAD + i] = ballast_byte(at + i);
    s->ballast_left -= n;
    return s->item_bytes;
}

uint32_t libxl__demo_saver_regs(struct demo_saver *s,
                                const struct demo_regs *r,
                                const uint8_t config[PCI_CONFIG_BYTES])
{
    const uint32_t words[] = {
        MAGIC,         VERSION,      r->scratch[0], r->scratch[1],
        r->scratch[2], r->scratch[3], r->period_ms,  r->left_ms,
        r->ticks,      r->irq,       r->irq_mask,   r->bytes,
    };
    uint8_t *at = s->buf + DEMO_ITEM_HEAD;

    put_head(s, DEMO_ITEM_REGS, DEMO_REGS_BYTES);
    memset(at, 0, DEMO_REGS_BYTES);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        libxl__vfu_put32(at + 4 * i, words[i]);
    libxl__vfu_put64(at + 48, r->src);
    libxl__vfu_put64(at + 56, r->dst);
    libxl__vfu_put64(at + 64, r->copied);
    libxl__vfu_put64(at + 72, s->ballast);
    libxl__vfu_put32(at + 80, r->errors);
    memcpy(at + CONFIG_AT, config, PCI_CONFIG_BYTES);
    s->regs_done = true;
    return s->item_bytes;
}

static const char *begin_item(struct demo_loader *l)
{
    l->kind = libxl__vfu_get32(l->head);
    l->item_left = libxl__vfu_get32(l->head + 4);
    if (l->kind == DEMO_ITEM_BALLAST)
        return l->item_left <= DEMO_BALLAST_STEP && !l->regs_got
                   ? NULL : "ballast that is too long, or too late";
    if (l->kind != DEMO_ITEM_REGS)
        return "an item of an unknown kind";
    return l->item_left == DEMO_REGS_BYTES && !l->regs_got
               ? NULL : "registers of another size, or twice";
}

static const char *take_data(struct demo_loader *l, const uint8_t *in,
                             size_t bytes)
{
    if (l->kind == DEMO_ITEM_REGS) {
        memcpy(l->regs + l->regs_got, in, bytes);
        l->regs_got += (uint32_t)bytes;
    } else {
        for (size_t i = 0; i < bytes; i++)
            if (in[i] != ballast_byte(l->ballast_got + i))
                return "ballast with a wrong byte";
        l->ballast_got += bytes;
    }
    l->item_left -= (uint32_t)bytes;
    return NULL;
}

const char *libxl__demo_loader_take(struct demo_loader *l, const uint8_t *in,
                                    size_t bytes)
{
    const char *wrong = NULL;

    while (bytes && !wrong) {
        size_t n = l->item_left ? l->item_left : DEMO_ITEM_HEAD - l->head_got;

        if (n > bytes)
            n = bytes;
        if (l->item_left) {
            wrong = take_data(l, in, n);
        } else {
            memcpy(l->head + l->head_got, in, n);
            l->head_got += (uint32_t)n;
            if (l->head_got == DEMO_ITEM_HEAD) {
                wrong = begin_item(l);
                l->head_got = 0;
            }
        }
        in += n;
        bytes -= n;
    }
    return wrong;
}

const char *libxl__demo_loader_end(const struct demo_loader *l,
                                   struct demo_regs *r,
                                   uint8_t config[PCI_CONFIG_BYTES])
{
    const uint8_t *at = l->regs;
    uint32_t words[12];

    if (l->head_got || l->item_left || l->regs_got != DEMO_REGS_BYTES)
        return "a state that is not whole";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        words[i] = libxl__vfu_get32(at + 4 * i);
    if (words[0] != MAGIC || words[1] != VERSION)
        return "a state of another kind or version";
    *r = (struct demo_regs){
        .scratch = {words[2], words[3], words[4], words[5]},
        .period_ms = words[6], .left_ms = words[7], .ticks = words[8],
        .irq = words[9], .irq_mask = words[10], .bytes = words[11],
        .src = libxl__vfu_get64(at + 48), .dst = libxl__vfu_get64(at + 56),
        .copied = libxl__vfu_get64(at + 64),
        .ballast = libxl__vfu_get64(at + 72),
        .errors = libxl__vfu_get32(at + 80),
    };
    if (r->ballast != l->ballast_got)
        return "another amount of ballast than it says";
    if (r->left_ms > r->period_ms)
        return "a tick that is due later than its period";
    memcpy(config, at + CONFIG_AT, PCI_CONFIG_BYTES);
    return NULL;
}
