#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A tenth of all the faults of faultmatrix.py on the fake host (all of them with
# XL_TEST_LONG), which can stand still in every step of the journal.
export XL_HYPERVISOR=fake
. "$(dirname "$0")/lib.sh"
share=10
[ -z "$LONG" ] || share=1
rc=0
python3 "$TOP/tests/e2e/faultmatrix.py" fake "$WORK" "$share" "${XL_TEST_SEED:-1}" ||
    rc=$?
exit "$rc"
