/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kvm_probe.c - does KVM run a guest here?
 *
 * There are machines whose /dev/kvm opens, says its version and makes a VM,
 * and on which an ordinary guest never comes to its first message: without
 * hardware support real and protected mode are emulated, an instruction at a
 * time. So a guest is run: a few bytes of real-mode code that count to twenty
 * million (10 ms of a CPU; 20 s emulated), write to a port and halt, in a child
 * process with a deadline.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/proc_id.h"
#include "host/qemu_probe.h"
#include "store/store_dir.h"
#include "store/store_files.h"

#define CACHE_NAME "probe-kvm"

enum { GUEST_BYTES = 4096, GUEST_AT = 0x1000, PORT = 0x10, PROBE_MS = 2000 };

/* ---- in the child ---- */

static const char *make_vm(int *vm_out, int *vcpu_out, size_t *run_bytes)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (kvm < 0)
        return "cannot open /dev/kvm";
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        return "/dev/kvm has another API version";
    *vm_out = ioctl(kvm, KVM_CREATE_VM, 0);
    if (*vm_out < 0)
        return "KVM cannot make a VM";
    *vcpu_out = ioctl(*vm_out, KVM_CREATE_VCPU, 0);
    if (*vcpu_out < 0)
        return "KVM cannot make a vCPU";
    *run_bytes = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    return NULL;
}

static const uint8_t code[] = {
    0x66, 0xb9, 0x00, 0x2d, 0x31, 0x01, /*    mov $20000000,%ecx */
    0x66, 0x49,                         /* 1: dec %ecx */
    0x75, 0xfc,                         /*    jnz 1b */
    0xb0, 0x5a,                         /*    mov $0x5a,%al */
    0xe6, PORT,                         /*    out %al,$PORT */
    0xf4,                               /*    hlt */
};

static const char *load_guest(int vm, int vcpu)
{
    struct kvm_userspace_memory_region region = {
        .guest_phys_addr = GUEST_AT,
        .memory_size = GUEST_BYTES,
    };
    struct kvm_regs regs = { .rip = GUEST_AT, .rflags = 2 };
    struct kvm_sregs sregs;
    void *ram = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (ram == MAP_FAILED)
        return "no memory";
    memcpy(ram, code, sizeof(code));
    region.userspace_addr = (uintptr_t)ram;
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) ||
        ioctl(vcpu, KVM_GET_SREGS, &sregs))
        return "KVM takes no memory";
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    if (ioctl(vcpu, KVM_SET_SREGS, &sregs) || ioctl(vcpu, KVM_SET_REGS, &regs))
        return "KVM takes no registers";
    return NULL;
}

static const char *run_guest(int vcpu, size_t run_bytes)
{
    struct kvm_run *run =
        mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    bool wrote = false;
    int exits;

    if (run == MAP_FAILED || run_bytes < sizeof(*run))
        return "KVM shares no state";
    for (exits = 0; exits < 16; exits++) {
        if (ioctl(vcpu, KVM_RUN, 0))
            return "KVM cannot run a guest";
        if (run->exit_reason == KVM_EXIT_HLT)
            return wrote ? NULL : "a guest halted before its work";
        if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT)
            return "a guest ended in an unexpected way";
        wrote = *((uint8_t *)run + run->io.data_offset) == 0x5a;
    }
    return "a guest did not halt";
}

static void probe_child(int fd)
{
    size_t run_bytes = 0;
    int vm = -1, vcpu = -1, e;
    const char *why;
    char text[128];

    errno = 0;
    why = make_vm(&vm, &vcpu, &run_bytes);
    if (!why)
        why = load_guest(vm, vcpu);
    if (!why)
        why = run_guest(vcpu, run_bytes);
    e = errno;
    if (!why)
        snprintf(text, sizeof(text), "+it ran a guest");
    else if (e)
        snprintf(text, sizeof(text), "-%s: %s", why, strerror(e));
    else
        snprintf(text, sizeof(text), "-%s", why);
    if (write(fd, text, strlen(text)) < 0)
        _exit(1);
    _exit(0);
}

/* ---- the parent ---- */

bool libxl__kvm_probe_run(char *why, size_t why_bytes)
{
    struct pollfd p = { .events = POLLIN };
    char text[128] = "";
    ssize_t got = 0;
    int fds[2];
    pid_t pid;

    snprintf(why, why_bytes, "the probe could not be started");
    if (pipe2(fds, O_CLOEXEC))
        return false;
    pid = fork();
    if (!pid)
        probe_child(fds[1]);
    close(fds[1]);
    p.fd = fds[0];
    if (pid > 0 && poll(&p, 1, PROBE_MS) > 0)
        got = read(fds[0], text, sizeof(text) - 1);
    close(fds[0]);
    if (pid < 0)
        return false;
    kill(pid, SIGKILL); /* our own child, not waited for yet */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (got > 1)
        snprintf(why, why_bytes, "%s", text + 1);
    else
        snprintf(why, why_bytes,
                 "/dev/kvm is there, but guests run far too slowly on it: it "
                 "has no hardware support");
    return text[0] == '+';
}

/* ---- the cache: one answer a boot and user ---- */

static bool cached(libxl__store *st, libxl__gc *gc, const char *boot_id,
                   struct libxl__kvm_probe *out)
{
    const char *was, *why;
    yajl_val root;
    char *text;
    bool ok = false;

    if (libxl__file_read(st->ctx, INVALID_DOMID,
                         libxl__store_files_of(st)->dirfd, CACHE_NAME, &text))
        return false;
    root = yajl_tree_parse(text, NULL, 0);
    free(text);
    was = libxl__json_string(root, "boot_id");
    why = libxl__json_string(root, "why");
    if (was && why && !strcmp(was, boot_id) &&
        libxl__json_bool(root, "works", &out->works)) {
        out->why = libxl__strdup(gc, why);
        ok = out->why;
    }
    yajl_tree_free(root);
    return ok;
}

static void keep(libxl__store *st, libxl__gc *gc, const char *boot_id,
                 const struct libxl__kvm_probe *p)
{
    struct libxl__json_writer w;
    char *text;

    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "boot_id", boot_id);
    libxl__json_put_bool(&w, "works", p->works);
    libxl__json_put_string(&w, "why", p->why);
    libxl__json_close(&w);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    if (text)
        libxl__file_replace(st->ctx, INVALID_DOMID,
                            libxl__store_files_of(st)->dirfd, CACHE_NAME,
                            text, false);
}

void libxl__kvm_probe(libxl__store *st, libxl__gc *gc,
                      struct libxl__kvm_probe *out)
{
    struct libxl__proc_id self;
    char why[160];

    memset(out, 0, sizeof(*out));
    /* A device that appears, or a group that is joined, should count at once:
     * only what needs a run is kept. */
    if (access("/dev/kvm", R_OK | W_OK)) {
        out->why = libxl__sprintf(gc, "/dev/kvm: %s", strerror(errno));
        return;
    }
    if (libxl__proc_id_self(&self) || cached(st, gc, self.boot_id, out))
        return;
    out->works = libxl__kvm_probe_run(why, sizeof(why));
    out->why = libxl__strdup(gc, why);
    keep(st, gc, self.boot_id, out);
}
