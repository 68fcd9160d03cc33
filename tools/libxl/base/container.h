/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * container.h - from a member to the struct that holds it.
 *
 * Rule: used in one getter function per embedding, beside the struct, and
 * nowhere else. The getter names both ends; callers never spell the layout.
 */
#ifndef LIBXL_CONTAINER_H
#define LIBXL_CONTAINER_H

#include <stddef.h>

#define CONTAINER_OF(ptr, type, member)                                        \
    ({                                                                         \
        __typeof__(((type *)0)->member) *member_ptr__ = (ptr);                 \
        (type *)((char *)member_ptr__ - offsetof(type, member));               \
    })

#endif
