#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A tenth of all the faults of faultmatrix.py, with a real guest (all of them
# with XL_TEST_LONG): one guest is left after each, and its memory is whole.
. "$(dirname "$0")/lib.sh"
share=10
[ -z "$LONG" ] || share=1
rc=0
python3 "$TOP/tests/e2e/faultmatrix.py" qemu "$WORK" "$share" "${XL_TEST_SEED:-1}" ||
    rc=$?
exit "$rc"
