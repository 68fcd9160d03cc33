#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Finding dirty pages by soft-dirty bits, where a kernel has them: Debian's, in a
# virtual machine whose only program moves the memory of a busy process.
. "$(dirname "$0")/lib.sh"

root=$WORK/root
mkdir "$root"
build_init() {
    "${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -O2 -static \
        -I"$TOP/tools/libxc" -o "$root/init" \
        "$TOP/tests/e2e/soft_dirty_init.c" "$BUILD/lib/libxc.a" -lxxhash &&
        (cd "$root" && echo init | cpio --quiet -o -H newc -R 0:0) |
        gzip -1 >"$WORK/initramfs.gz"
}
run_machine() {
    timeout "$DEADLINE_S" qemu-system-x86_64 -nodefaults -no-user-config \
        -display none -no-reboot -m 512 -accel tcg -serial "file:$WORK/console" \
        -kernel "$GUEST/vmlinuz" -initrd "$WORK/initramfs.gz" \
        -append "console=ttyS0 quiet panic=-1"
}

ok "build the machine's program" build_init
ok "the machine runs and ends" run_machine
tr -d '\r' <"$WORK/console" >"$WORK/said"
is "it moved the memory three times" "$(grep -c '^MOVE' "$WORK/said")" 3
is "by soft-dirty bits" "$(grep -c 'found by soft-dirty bits' "$WORK/said")" 3
is "and no page differs" \
    "$(grep -c '^MOVE save 0 restore 0 .* different 0$' "$WORK/said")" 3 ||
    diag <"$WORK/said"
done_testing
