/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * info.c - ends of what the public header hands out as answers.
 */
#include <stdlib.h>
#include <string.h>

#include "libxl.h"

void libxl_dominfo_dispose(libxl_dominfo *i)
{
    free(i->name);
    memset(i, 0, sizeof(*i));
}

void libxl_dominfo_list_free(libxl_dominfo *list, int nb_domain)
{
    int i;

    if (!list)
        return;
    for (i = 0; i < nb_domain; i++)
        libxl_dominfo_dispose(&list[i]);
    free(list);
}

void libxl_host_facts_free(libxl_host_fact *facts, int nr)
{
    int i;

    if (!facts)
        return;
    for (i = 0; i < nr; i++) {
        free(facts[i].key);
        free(facts[i].value);
    }
    free(facts);
}
