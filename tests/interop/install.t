#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make install: what lands where, that it works from there, that it leaves again,
# and that nothing of Debian's xl is in the way.
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${XL_BUILD:-$top/build}
work=$(mktemp -d)
root=$work/root
trap 'rm -rf "$work"' EXIT
n=0
bad=0

check() { # title command...
    local title=$1
    shift
    n=$((n + 1))
    if "$@" >"$work/out" 2>&1; then
        echo "ok $n - $title"
    else
        echo "not ok $n - $title"
        sed 's/^/#   /' "$work/out"
        bad=1
    fi
}

files() { (cd "$root" && find . -type f -o -type l | sort); }
# As the Makefile does it, but building nothing: other tests run meanwhile.
run() {
    (cd "$top" && O=$build DESTDIR=$root PREFIX=$2 scripts/install "$1")
}

check "install" run install /opt/xl
at=$root/opt/xl
check "all is below the prefix" test "$(cd "$root" && ls)" = opt
for f in bin/xl bin/verify-stream-v2 libexec/xl-save-helper libexec/xl-keeper \
    lib/libxl.so.1 include/xl/libxl.h share/man/man1/xl.1 \
    share/man/man5/xl.cfg.5 share/bash-completion/completions/xl; do
    check "$f" test -e "$at/$f"
done
check "xl runs from there" "$at/bin/xl" help
check "with its own library" sh -c "ldd '$at/bin/xl' | grep -q '$work'"
check "verify-stream-v2 runs from there" \
    "$at/bin/verify-stream-v2" -f xl -i "$top/tests/golden/good/xl-qemu"
cat >"$work/use.c" <<'EOF'
#include <libxl.h>
int main(void)
{
    libxl_ctx *ctx;

    return libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, NULL);
}
EOF
check "a program builds against it" gcc -Wall -Werror -I"$at/include/xl" \
    -o "$work/use" "$work/use.c" -L"$at/lib" -lxl
check "a second install" run install /opt/xl
check "uninstall" run uninstall /opt/xl
check "nothing is left" test -z "$(files)"

if command -v dpkg-query >/dev/null; then
    check "install with PREFIX=/usr" run install /usr
    files | sed 's|^\.||' | sort >"$work/ours"
    for package in xen-utils-common xen-utils-4.17 libxen-dev; do
        dpkg-query -L "$package" 2>/dev/null
    done | grep -E '^/usr/(s?bin|lib|libexec|include)/' | sort >"$work/theirs"
    check "no program, library or header of Debian's would be replaced" \
        test -z "$(comm -12 "$work/ours" "$work/theirs")"
fi
echo "1..$n"
exit $bad
