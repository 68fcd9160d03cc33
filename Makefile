# SPDX-License-Identifier: GPL-2.0-or-later
#
# make            build all into $(O)
# make check      install what is missing, build, run the tests
# make help       the other targets
#
# Sources are found by room (tools/libxc/ROOM/*.c, tools/libxl/ROOM/*.c); a file
# named *_main.c is a program of its own and goes into no library.

O ?= build
CC ?= gcc
PREFIX ?= /usr/local
XEN ?= 1
PYTHON := /usr/bin/python3

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
        -Wimplicit-fallthrough -Wno-unused-parameter -Werror
OPT ?= -O2 -g
SAN ?=
CFLAGS_ALL = -std=gnu11 $(OPT) $(WARN) $(SAN) -fPIC -fvisibility=hidden \
        -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -MMD -MP $(CFLAGS)
INC := -Itools/libxc -Itools/libxl -Itools/libxl/include
LIBS_XC := -lxxhash
LIBS_XL := -luv -lyajl -lpthread

mains := $(wildcard tools/*/*/*_main.c)
xen_c := $(wildcard tools/libxc/hv/xc_hv_xen*.c tools/libxl/host/host_xen*.c \
                    tools/libxl/store/store_xenstore*.c)
preload_c := $(wildcard tools/libxl/host/preload_*.c)
libxc_c := $(filter-out $(mains) $(xen_c),$(wildcard tools/libxc/*/*.c))
libxl_c := $(filter-out $(mains) $(xen_c) $(preload_c),$(wildcard tools/libxl/*/*.c))
xl_c := $(wildcard tools/xl/*.c)
unit_c := $(wildcard tests/unit/*/test_*.c tests/fault/test_*.c)
testlib_c := $(filter-out $(unit_c),$(wildcard tests/unit/*/*.c tests/fault/*.c))

obj = $(patsubst %.c,$(O)/obj/%.o,$(1))
unit_bin := $(patsubst tests/%.c,$(O)/tests/%,$(unit_c))
main_name = $(subst _,-,$(patsubst %_main,%,$(basename $(notdir $(1)))))

programs := $(O)/bin/xl $(O)/libexec/xl-save-helper

.PHONY: all
all: libs $(if $(xl_c),$(O)/bin/xl) $(if $(filter %save_helper_main.c,$(mains)),$(O)/libexec/xl-save-helper)

.PHONY: libs
libs: $(O)/lib/libxc.a $(O)/lib/libxl.a $(O)/lib/libxl.so

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(INC) -c $< -o $@

# xl sees the public headers alone
$(O)/obj/tools/xl/%.o: tools/xl/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -Itools/libxl/include -Itools/xl -c $< -o $@

$(O)/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(INC) -Itests/unit -c $< -o $@

$(O)/lib/libxc.a: $(call obj,$(libxc_c))
	@mkdir -p $(@D)
	rm -f $@; ar rcs $@ $^

$(O)/lib/libxl.a: $(call obj,$(libxl_c))
	@mkdir -p $(@D)
	rm -f $@; ar rcs $@ $^

$(O)/lib/libxl.so: $(call obj,$(libxl_c)) tools/libxl/libxl.map
	@mkdir -p $(@D)
	$(CC) $(SAN) $(LDFLAGS) -shared -Wl,--version-script=tools/libxl/libxl.map \
	  -Wl,-soname,libxl.so.1 -o $@ $(filter %.o,$^) $(LIBS_XL)
	ln -sf libxl.so $(@D)/libxl.so.1

$(O)/bin/xl: $(call obj,$(xl_c)) $(O)/lib/libxl.so
	@mkdir -p $(@D)
	$(CC) $(SAN) $(LDFLAGS) -o $@ $(filter %.o,$^) -L$(O)/lib -lxl -lyajl \
	  -Wl,-rpath,'$$ORIGIN/../lib'

$(O)/libexec/xl-save-helper: $(O)/obj/tools/libxl/helper/save_helper_main.o $(O)/lib/libxl.a $(O)/lib/libxc.a
	@mkdir -p $(@D)
	$(CC) $(SAN) $(LDFLAGS) -o $@ $^ $(LIBS_XC) $(LIBS_XL) -lseccomp

$(unit_bin): $(O)/tests/%: $(O)/obj/tests/%.o $(call obj,$(testlib_c)) $(O)/lib/libxl.a $(O)/lib/libxc.a
	@mkdir -p $(@D)
	$(CC) $(SAN) $(LDFLAGS) -o $@ $^ $(LIBS_XC) $(LIBS_XL) -lcmocka

.PHONY: unit
unit: all $(unit_bin)

.PHONY: check-unit
check-unit: unit
	CMOCKA_MESSAGE_OUTPUT=TAP prove --timer --exec '' $(unit_bin)

.PHONY: clean
clean:
	rm -rf $(O)

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
