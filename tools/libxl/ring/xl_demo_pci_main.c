/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl-demo-pci - the demo device, in a process of its own. */
#include "ring/demo_run.h"

int main(int argc, char **argv)
{
    return demo_run(argc, argv, NULL);
}
