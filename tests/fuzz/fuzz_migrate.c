// SPDX-License-Identifier: GPL-2.0-or-later
/* What the two sides of a migration say to one another beside the stream:
 * words, questions, answers, and what a sender tells of itself. The first byte
 * says which. */
#include <stdlib.h>
#include <string.h>

#include "migrate/answer.h"
#include "migrate/handshake.h"
#include "migrate/sender_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void words(const uint8_t *data, size_t size)
{
    char quote[LIBXL__HS_QUOTE_MAX + 1];
    struct libxl__hs_query query;
    uint8_t raw[LIBXL__HS_QUERY_BYTES];

    for (int w = 0; w < LIBXL__HS_NR_WORDS; w++)
        if (libxl__hs_match(w, data, size) == LIBXL__HS_MATCH &&
            size < libxl__hs_text(w)->n)
            abort();
    libxl__hs_quote(data, size, quote);
    if (strlen(quote) > LIBXL__HS_QUOTE_MAX)
        abort();
    if (size < sizeof(raw) || !libxl__hs_decode_query(data, &query))
        return;
    libxl__hs_encode_query(&query, raw);
    if (memcmp(raw, data, sizeof(raw)))
        abort();
}

/* What was understood is understood again in the same way. */
static void answer(libxl__gc *gc, const char *text)
{
    struct libxl__answer a, again;
    char *line;

    if (!libxl__answer_decode(gc, text, &a))
        return;
    line = libxl__answer_encode(gc, &a);
    if (!line || strlen(line) > LIBXL__ANSWER_MAX)
        abort();
    line[strlen(line) - 1] = '\0';
    if (!libxl__answer_decode(gc, line, &again) || again.outcome != a.outcome)
        abort();
}

static void facts(libxl__gc *gc, const char *text)
{
    libxl_domain_config config;
    const char *reason;

    libxl_domain_config_init(&config);
    if (!libxl__sender_facts_check(gc, text, &config, &reason) != !reason)
        abort();
    libxl_domain_config_dispose(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    libxl__gc gc;
    char *text;

    if (!size)
        return 0;
    libxl__gc_init(&gc, NULL);
    text = libxl__strndup(&gc, (const char *)data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        words(data + 1, size - 1);
        break;
    case 1:
        if (text)
            answer(&gc, text);
        break;
    case 2:
        if (text)
            facts(&gc, text);
        break;
    }
    libxl__gc_dispose(&gc);
    return 0;
}
