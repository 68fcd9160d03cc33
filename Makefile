# SPDX-License-Identifier: GPL-2.0-or-later
#
# make            build all into $(O)
# make check      install what is missing, build, run the tests
# make help       the other targets
#
# Sources are found by room (tools/libxc/ROOM/*.c, tools/libxl/ROOM/*.c); a file
# named *_main.c is a program of its own and goes into no library.

O ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
DESTDIR ?=
XEN ?= 1
PYTHON := /usr/bin/python3

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
        -Wimplicit-fallthrough -Wno-unused-parameter \
        -Wno-missing-field-initializers -Werror
OPT ?= -O2 -g
SAN ?=
HARDEN := $(if $(SAN),,-D_FORTIFY_SOURCE=2 -fstack-protector-strong)
LD_HARDEN := $(if $(SAN),,-Wl,-z,relro,-z,now)
CFLAGS_ALL = -std=gnu11 $(OPT) $(WARN) $(HARDEN) $(SAN) -fPIC \
        -fvisibility=hidden -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -MMD -MP \
        $(CFLAGS)
LDFLAGS_ALL = $(SAN) $(LD_HARDEN) -Wl,--as-needed $(LDFLAGS)
INC := -Itools/libxc -Itools/libxl -Itools/libxl/include
LIBS_XC := -lxxhash
LIBS_XL := -luv -lyajl -lpthread
LIBS_RING := -luring

# --- sources, by room

mains := $(wildcard tools/*/*/*_main.c)
xen_c := $(wildcard tools/libxc/hv/xc_hv_xen*.c tools/libxl/host/host_xen*.c \
                    tools/libxl/store/store_xenstore*.c)
preload_c := $(wildcard tools/libxl/host/preload_*.c)
# Parts of programs, in no library: the save helper's, the guest daemon's.
helper_c := $(wildcard tools/libxl/helper/child_*.c)
agentd_c := $(wildcard tools/libxl/agent/agentd_*.c)
libxc_c := $(filter-out $(mains) $(xen_c),$(wildcard tools/libxc/*/*.c))
# device processes link the ring room; the toolstack itself does not
ring_c := $(filter-out $(mains),$(wildcard tools/libxl/ring/*.c))
libxl_c := $(filter-out $(mains) $(xen_c) $(preload_c) $(helper_c) $(ring_c) \
             $(agentd_c),$(wildcard tools/libxl/*/*.c))
xl_c := $(wildcard tools/xl/*.c)
# the plugin's own test, with functions of its own for Xen's libraries
hv_xen_test_c := tests/unit/libxc_hv/test_hv_xen.c
unit_c := $(filter-out $(if $(filter 0,$(XEN)),$(hv_xen_test_c)),\
            $(wildcard tests/unit/*/test_*.c tests/fault/test_*.c))
# all of xl but its main, for its tests
xl_parts_c := $(filter-out tools/xl/xl.c,$(xl_c))
fuzz_c := $(wildcard tests/fuzz/fuzz_*.c)
testlib_c := $(filter-out $(unit_c) $(hv_xen_test_c),$(wildcard tests/unit/*/*.c tests/fault/*.c))

obj = $(patsubst %.c,$(O)/obj/%.o,$(1))
unit_bin := $(patsubst tests/%.c,$(O)/tests/%,$(unit_c))
replay_bin := $(patsubst tests/fuzz/fuzz_%.c,$(O)/tests/fuzz/replay-%,$(fuzz_c))
fuzz_bin := $(patsubst tests/fuzz/fuzz_%.c,$(O)-fuzz/fuzz-%,$(fuzz_c))

comma := ,

# --- programs: those that run beside xl, and those that only tests run

main_name = $(subst _,-,$(patsubst %_main,%,$(basename $(notdir $(1)))))
test_mains := $(filter %_read_main.c %_fault_main.c,$(mains))
# the guest's daemon: static, for guests that have nothing else of ours
agentd_main := $(filter %/xl_agentd_main.c,$(mains))
agentd_bin := $(if $(agentd_main),$(O)/bin/xl-agentd)
libexec_mains := $(filter-out $(test_mains) $(agentd_main),$(mains))
libexec_name = $(patsubst save-helper,xl-save-helper,$(call main_name,$(1)))
libexec_bin := $(foreach m,$(libexec_mains),$(O)/libexec/$(call libexec_name,$m))
test_bin := $(foreach m,$(test_mains),$(O)/tests/$(call main_name,$m))
preload_so := $(patsubst tools/libxl/host/preload_%.c,$(O)/lib/xl-preload-%.so,\
                $(preload_c))

hv_xen_c := $(wildcard tools/libxc/hv/xc_hv_xen*.c)
host_xen_c := $(filter-out $(hv_xen_c),$(xen_c))
ifneq ($(XEN),0)
xen_sr := $(O)/tests/xen/xen-sr
xen_so := $(O)/lib/xl-hv-xen.so $(O)/lib/xl-host-xen.so
endif

.PHONY: all
all: libs $(if $(xl_c),$(O)/bin/xl) $(libexec_bin) $(test_bin) $(preload_so) \
     $(agentd_bin) $(O)/libexec/convert-legacy-stream $(xen_so)

# finds its modules beside the file that the link names
$(O)/libexec/convert-legacy-stream:
	@mkdir -p $(@D)
	$(Q)ln -sfn $(CURDIR)/tools/python/scripts/$(@F) $@

.PHONY: libs
libs: $(O)/lib/libxc.a $(O)/lib/libxl.a $(O)/lib/libring.a $(O)/lib/libxl.so \
      $(O)/lib/libxlcfg.a

# --- how things are made (V=1 shows the commands, -s says nothing)

ifeq ($(V),1)
Q :=
say = @:
else ifneq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
Q := @
say = @:
else
Q := @
say = @printf '  %-5s %s\n' $(1) $(2)
endif

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(INC) -c $< -o $@

# xl sees the public headers alone
$(O)/obj/tools/xl/%.o: tools/xl/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) -Itools/libxl/include -Itools/xl -c $< -o $@

$(O)/obj/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(INC) -Itools/xl -Itests/unit -c $< -o $@

# Where the installed programs are looked for last (base/paths.h). A file that
# changes with PREFIX makes the one object that names it follow.
$(O)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@
$(O)/obj/tools/libxl/base/paths.o: $(O)/prefix
$(O)/obj/tools/libxl/base/paths.o: CFLAGS_ALL += \
        -DLIBEXECDIR='"$(PREFIX)/libexec"'

$(O)/lib/libxc.a: $(call obj,$(libxc_c))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

$(O)/lib/libagentd.a: $(call obj,$(agentd_c))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

$(O)/lib/libring.a: $(call obj,$(ring_c))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

$(O)/lib/libxl.a: $(call obj,$(libxl_c))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

# xl's parts, for its fuzz targets
$(O)/lib/libxlcfg.a: $(call obj,$(xl_parts_c))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@; ar rcs $@ $^

$(O)/lib/libxl.so: $(call obj,$(libxl_c)) tools/libxl/libxl.map
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -shared -Wl,-soname,libxl.so.1 \
	  -Wl,--version-script=tools/libxl/libxl.map \
	  -o $@ $(filter %.o,$^) $(LIBS_XL)
	$(Q)ln -sf libxl.so $(@D)/libxl.so.1

$(O)/bin/xl: $(call obj,$(xl_c)) $(O)/lib/libxl.so
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) -L$(O)/lib -lxl -lyajl \
	  -Wl,-rpath,'$$ORIGIN/../lib'

# $(1): program, $(2): its main's source
define program
$(1): $$(call obj,$(2)) $(O)/lib/libring.a $(O)/lib/libxl.a $(O)/lib/libxc.a
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $$(LIBS_XC) $$(LIBS_XL) $$(LIBS_RING) -lseccomp
endef
ifeq ($(SAN),)
$(foreach m,$(libexec_mains),$(eval $(call \
  program,$(O)/libexec/$(call libexec_name,$m),$m)))
else
# Programs that lock themselves in (seccomp, 32 MiB of data) leave a sanitizer no
# room to live: the tests find them as they are without one.
.PHONY: plain
plain:
	@$(MAKE) --no-print-directory O=$(O)/plain SAN= libexec
$(libexec_bin): $(O)/libexec/%: plain
	@mkdir -p $(@D)
	$(Q)cp $(O)/plain/libexec/$* $@
endif
.PHONY: libexec
libexec: $(libexec_bin)
$(foreach m,$(test_mains),$(eval $(call \
  program,$(O)/tests/$(call main_name,$m),$m)))
$(O)/libexec/xl-save-helper: $(call obj,$(helper_c))

# A sanitizer's runtime cannot be linked statically. (libuv could look up users,
# which a static program cannot, and the linker says so: nobody asks it to.)
$(O)/bin/xl-agentd: $(call obj,$(agentd_main)) $(O)/lib/libagentd.a \
                    $(O)/lib/libxl.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(if $(SAN),,-static -Wl$(comma)--no-warnings) -o $@ $^ \
	  $(if $(SAN),$(LIBS_XL),-l:libuv_a.a -l:libyajl_s.a -lpthread)

# Goes into QEMU, which is never built with a sanitizer.
$(O)/lib/xl-preload-%.so: tools/libxl/host/preload_%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -D_GNU_SOURCE -fPIC -shared -o $@ $<

# Loaded where it is needed: nothing else is linked with Xen's libraries.
$(O)/lib/xl-hv-xen.so: $(call obj,$(hv_xen_c)) $(O)/lib/libxc.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -shared -o $@ $^ -lxenctrl -lxenguest \
	  -lxenforeignmemory -lxencall -lxentoollog

$(O)/lib/xl-host-xen.so: $(call obj,$(host_xen_c))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -shared -o $@ $^ -lxenctrl -lxenguest -lxenstore \
	  -lxenevtchn -lxentoollog

# Runs in the test bed's dom0 (tests/xen).
$(O)/tests/xen/xen-sr: $(O)/obj/tests/xen/xen_sr.o $(O)/lib/libxc.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lxenctrl -lxenguest -lxenstore

$(filter $(O)/tests/unit/xl/%,$(unit_bin)): $(call obj,$(xl_parts_c))
$(O)/tests/unit/libxc_hv/test_hv_xen: $(call obj,$(hv_xen_c))
$(O)/tests/unit/libxc_hv/test_hv_xen: LIBS_XC += -lxenctrl -lxenguest \
  -lxenforeignmemory -lxencall -lxentoollog
$(unit_bin): $(O)/tests/%: $(O)/obj/tests/%.o $(call obj,$(testlib_c)) \
             $(O)/lib/libring.a $(O)/lib/libagentd.a \
             $(O)/lib/libxl.a $(O)/lib/libxc.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_XC) \
	  $(LIBS_XL) $(LIBS_RING) -lseccomp -lcmocka

# tests/fault/fault_wrap.c stands between the code and these calls
$(O)/tests/fault/%: LDFLAGS += $(foreach f,malloc calloc realloc free read \
  writev pwrite64 lseek64 mmap64 poll,-Wl,--wrap=$f)

$(replay_bin): $(O)/tests/fuzz/replay-%: $(O)/obj/tests/fuzz/fuzz_%.o \
               $(O)/obj/tests/fuzz/replay_main.o $(O)/lib/libxlcfg.a \
               $(O)/lib/libring.a $(O)/lib/libxl.a $(O)/lib/libxc.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_XC) $(LIBS_XL)

# All processors, unless make was told how many.
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# --- tests (scripts/check runs them by prove and counts)

.PHONY: unit guest deps check check-unit check-asan check-xen check-xen-full
.PHONY: e2e gate lint
unit: all $(unit_bin) $(replay_bin)

deps:
	@scripts/deps

guest:
	@scripts/guest $(O)/guest

check-unit: unit
	@O=$(O) scripts/check unit

e2e: all guest
	@O=$(O) scripts/check e2e

gate: unit
	@O=$(O) scripts/check gate

# A QEMU with a vfio-user client needs a root directory of a newer Debian, and
# root to make it; where that fails, its test says why it is skipped.
check: deps
	@[ "$$(id -u)" != 0 ] || scripts/trixie-qemu $(O)/trixie || true
	@$(MAKE) --no-print-directory $(jobs) unit guest $(xen_sr)
	@O=$(O) scripts/check unit gate interop e2e $(if $(xen_sr),xen)

check-asan:
	@$(MAKE) --no-print-directory O=$(O)-asan unit \
	  SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
	@O=$(O)-asan scripts/check unit

# Debian's hypervisor in QEMU: a dom0 of ours beside Debian's own xl.
check-xen: all guest $(xen_sr)
	@O=$(O) scripts/check xen

# All of it: also what goes wrong, and two hosts.
check-xen-full: all guest $(xen_sr)
	@O=$(O) XL_TEST_LONG=1 TAP_TIMEOUT=7200 scripts/check xen

lint: unit
	@O=$(O) CC="$(CC)" scripts/lint $(INC)

# --- fuzzing, long runs, measures

.PHONY: fuzz fuzz-smoke fuzz-libs soak bench quickstart
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz-libs:
	@$(MAKE) --no-print-directory O=$(O)-fuzz CC=clang OPT="-O1 -g" \
	  SAN="-fsanitize=fuzzer-no-link $(FUZZ_SAN)" libs

$(fuzz_bin): $(O)-fuzz/fuzz-%: tests/fuzz/fuzz_%.c fuzz-libs
	$(call say,LD,$@)
	$(Q)clang -std=gnu11 -O1 -g -D_GNU_SOURCE -fsanitize=fuzzer $(FUZZ_SAN) $(INC) \
	  -Itools/xl -o $@ $< $(O)-fuzz/lib/libxlcfg.a $(O)-fuzz/lib/libring.a \
	  $(O)-fuzz/lib/libxl.a $(O)-fuzz/lib/libxc.a $(LIBS_XC) $(LIBS_XL) \
	  $(LIBS_RING) -lseccomp

FUZZ_SECONDS ?= 3600
fuzz-smoke: $(fuzz_bin)
	@scripts/fuzz 60 $(fuzz_bin)

fuzz: $(fuzz_bin)
	@scripts/fuzz $(FUZZ_SECONDS) $(fuzz_bin)

soak: unit guest $(xen_sr)
	@O=$(O) XL_TEST_LONG=1 TAP_TIMEOUT=14400 scripts/check unit interop e2e soak xen
	@$(MAKE) --no-print-directory fuzz

bench: all guest $(xen_sr)
	@O=$(O) scripts/bench

quickstart: deps
	@echo "building into $(O)/ ..."
	@$(MAKE) --no-print-directory -s $(jobs) all guest
	@O=$(O) scripts/quickstart

# --- installing: nothing that Debian's xl or libxenlight owns is touched, and
# the headers lie in a directory of their own (Debian has a libxl.h too)

.PHONY: install uninstall clean help FORCE
install: all
	@O=$(O) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) scripts/install install

uninstall:
	@O=$(O) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) scripts/install uninstall

clean:
	rm -rf $(O) $(O)-asan $(O)-fuzz

help:
	@echo 'make              build into $(O)/ (O=DIR, CC=clang, V=1)'
	@echo 'make quickstart   install what is missing, build, and see a guest'
	@echo '                  saved and restored'
	@echo 'make check        install what is missing, build, run all tests'
	@echo 'make install      into PREFIX ($(PREFIX)), below DESTDIR; uninstall'
	@echo
	@echo 'make check-unit   unit and fault tests'
	@echo 'make check-asan   the same under ASan and UBSan'
	@echo 'make e2e          tests with real guests'
	@echo 'make check-xen    tests on a Xen hypervisor inside QEMU (-full: all)'
	@echo 'make gate         layers, symbols, specs; longest files, functions'
	@echo 'make lint         clang-tidy, cppcheck, gcc -fanalyzer, shellcheck'
	@echo 'make fuzz-smoke   each fuzz target for 60 s (fuzz: an hour)'
	@echo 'make soak         the long versions of the tests'
	@echo 'make bench        comparison with QEMU, in alternation'
	@echo 'make clean'

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
