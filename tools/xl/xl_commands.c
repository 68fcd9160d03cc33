/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_commands.c - the table of commands, and their help. */
#include <string.h>

#include "xl.h"

static const char create_options[] =
    "  -q, --quiet           no word but of failures\n"
    "  -f, --defconfig=FILE  the configuration file\n"
    "  -n, --dryrun          show the configuration as JSON, create nothing\n"
    "  -p                    leave the domain paused\n"
    "  -c                    attach to its console\n"
    "  -F                    stay until the domain is gone\n"
    "  -e                    never restart it (on_poweroff and so on)\n"
    "  -d                    show the configuration as JSON, then create\n"
    "KEY=VALUE is taken as if it stood in the file; it overrides the file.\n";

static const char list_options[] =
    "  -l, --long     everything, as JSON\n"
    "  -v, --verbose  also UUIDs and the reasons of shutdowns\n"
    "  -Z, --context  also security labels (there are none here)\n";

static const char shutdown_options[] =
    "  -a, --all   all domains\n"
    "  -w, --wait  until they are shut down; given twice: until they are gone\n"
    "  -F          press the power button if the guest listens to nothing "
    "else\n";

static const char reboot_options[] =
    "  -F  press the reset button if the guest listens to nothing else\n";

static const char console_options[] =
    "  -t serial  the serial console (the only one)\n"
    "  -n NUMBER  the console's number (0 is the only one)\n"
    "Ctrl-] leaves it. Without a terminal, input comes from stdin.\n";

static const char save_options[] =
    "  -c      let the domain run on afterwards\n"
    "  -p      leave the domain paused afterwards\n"
    "  -D      keep the domain's id in the file\n"
    "  --live  send memory while the domain runs; stop it at the end only\n"
    "  --native  leave out pages of zeros, also of a Xen host's domain: a\n"
    "          smaller file, that Xen's own xl refuses\n"
    "  --json  progress and result as one JSON object a line\n"
    "FILE - is standard output. Without -c and -p the domain is destroyed "
    "once\n"
    "the file is complete and on disk. CONFIG is stored instead of the\n"
    "domain's own configuration.\n";

static const char restore_options[] =
    "  -p      leave the domain paused\n"
    "  -c      attach to its console\n"
    "  -F      stay until the domain is gone\n"
    "  -e      never restart it (on_poweroff and so on)\n"
    "  -d      show the configuration as JSON first\n"
    "  --json  progress and result as one JSON object a line\n"
    "FILE - is standard input. CONFIG is used instead of the one in FILE.\n";

#define AGENT_TEXT_OPTIONS                                                     \
    "  -w, --wait=SECONDS     wait so long for the agent to come up\n"         \
    "  -t, --timeout=SECONDS  for the answer (10)\n"

#define AGENT_OPTIONS                                                          \
    AGENT_TEXT_OPTIONS                                                         \
    "  --json                 the answer as JSON\n"

static const char agent_text_options[] = AGENT_TEXT_OPTIONS;
static const char agent_options[] = AGENT_OPTIONS;

static const char agent_ping_options[] =
    "  -c, --count=N        so many calls\n"
    "  -j, --parallel=N     so many at a time (1 to 16)\n"
    "  -w, --wait=SECONDS   wait so long for the agent to come up\n"
    "  --json               the times as JSON\n";

static const char agent_getfile_options[] =
    "  -w, --wait=SECONDS  wait so long for the agent to come up\n"
    "  --verify            check a checksum of each piece, made in the guest\n"
    "FILE must not be there yet; default: the last part of PATH, here; - is\n"
    "standard output.\n";

static const char agent_shutdown_options[] =
    "  -H  halt instead\n"
    "  -r  reboot instead\n" AGENT_OPTIONS;

static const char agent_fsfreeze_options[] =
    "  -s, --seconds=SECONDS  thawed by itself after that (1 to 60; 10)\n"
    AGENT_OPTIONS
    "A stock qemu-guest-agent does not thaw by itself.\n";

static const char agent_exec_options[] = AGENT_TEXT_OPTIONS
    "PROGRAM is an absolute path that the agent's configuration names. Options\n"
    "stand before DOMAIN. What it writes is shown when it has ended; the exit\n"
    "status is 1 unless its own is 0.\n";

static const char agent_putfile_options[] =
    "  -w, --wait=SECONDS     wait so long for the agent to come up\n"
    "  -t, --timeout=SECONDS  for each 512 KiB (10)\n"
    "PATH lies below a directory that the agent's configuration names; what was\n"
    "there is overwritten. FILE - is standard input.\n";

static const char migrate_options[] =
    "  -C CONFIG            send this configuration instead of the domain's "
    "own\n"
    "  -s COMMAND           reach HOST by COMMAND HOST xl migrate-receive\n"
    "                       (default ssh); with -s '' HOST is the whole "
    "command\n"
    "  -e                   never restart the domain there (on_poweroff and "
    "so on)\n"
    "  -p                   leave the domain paused there\n"
    "  -D                   keep the domain's id\n"
    "  --debug              send all memory once more and compare it there\n"
    "  --assume-same-disks  HOST has the same disks, also those of which this\n"
    "                       cannot be seen\n"
    "  --max-downtime MS    stop the domain only when the rest takes no "
    "longer\n"
    "  --max-iters N        at most N passes over memory\n"
    "  --min-remaining N    stop the domain when N pages are left\n"
    "  --abort-if-busy      give up rather than stop it for longer than that\n"
    "  --bandwidth N        at most N MiB a second\n"
    "  --timeout S          give up after S seconds\n"
    "  --json               progress and result as one JSON object a line\n"
    "The domain runs on, until at the end it is stopped for a moment. Should\n"
    "anything fail before HOST has it, it goes on here.\n";

static const char uptime_options[] =
    "  -s, --short  as 'uptime' writes it\n";

static const char sched_options[] =
    "  -d, --domain=DOMAIN  of this domain alone\n"
    "  -w, --weight=N       its share beside others\n"
    "  -c, --cap=N          at most N percent of a processor (0: no limit)\n";

static const char detach_options[] =
    "  -f, --force  take it away, whatever the guest does with it\n";

static const char device_list_options[] = "  --json  as a JSON array\n";

const struct xl_command xl_commands[] = {
    {"create", xl_cmd_create, false, "[OPTIONS] [CONFIG] [KEY=VALUE ...]",
     "Create a domain from a configuration file", create_options},
    {"list", xl_cmd_list, false, "[OPTIONS] [DOMAIN ...]",
     "List domains", list_options},
    {"vm-list", xl_cmd_vm_list, false, "", "List domains' UUIDs", NULL},
    {"destroy", xl_cmd_destroy, false, "DOMAIN",
     "End a domain at once, as if its power was cut", NULL},
    {"shutdown", xl_cmd_shutdown, false, "[OPTIONS] -a|DOMAIN",
     "Ask a domain to shut down", shutdown_options},
    {"reboot", xl_cmd_reboot, false, "[OPTIONS] DOMAIN",
     "Ask a domain to reboot", reboot_options},
    {"pause", xl_cmd_pause, false, "DOMAIN", "Stop a domain's vcpus", NULL},
    {"unpause", xl_cmd_unpause, false, "DOMAIN",
     "Let a paused domain run", NULL},
    {"save", xl_cmd_save, false, "[OPTIONS] DOMAIN FILE [CONFIG]",
     "Save a domain's state to a file", save_options},
    {"restore", xl_cmd_restore, false, "[OPTIONS] [CONFIG] FILE",
     "Restore a domain from a saved state", restore_options},
    {"migrate", xl_cmd_migrate, false, "[OPTIONS] DOMAIN HOST",
     "Move a running domain to another host", migrate_options},
    {"migrate-receive", xl_cmd_migrate_receive, false, "[-F] [-e] [-d] [-p]",
     "Receive a domain (run by xl migrate on the other host)", NULL},
    {"recover", xl_cmd_recover, false, "[DOMAIN]",
     "Bring back what an interrupted save, restore or migration left", NULL},
    {"console", xl_cmd_console, false, "[OPTIONS] DOMAIN",
     "Attach to a domain's console", console_options},
    {"rename", xl_cmd_rename, false, "DOMAIN NEW-NAME", "Rename a domain",
     NULL},
    {"domid", xl_cmd_domid, false, "NAME", "A domain's id", NULL},
    {"domname", xl_cmd_domname, false, "DOMID", "A domain's name", NULL},
    {"mem-set", xl_cmd_mem_set, false, "DOMAIN MEMORY",
     "Set the memory that a domain should use (MiB, or with t, g, m, k, b)",
     NULL},
    {"vcpu-list", xl_cmd_vcpu_list, false, "[DOMAIN ...]",
     "List domains' vcpus", NULL},
    {"uptime", xl_cmd_uptime, false, "[-s] [DOMAIN ...]",
     "How long domains have been there", uptime_options},
    {"trigger", xl_cmd_trigger, false,
     "DOMAIN nmi|reset|init|power|sleep|s3resume [VCPU]",
     "Send a trigger to a domain", NULL},
    {"sysrq", xl_cmd_sysrq, false, "DOMAIN LETTER",
     "Send a magic SysRq key to a domain", NULL},
    {"block-attach", xl_cmd_block_attach, false, "DOMAIN DISK ...",
     "Give a running domain a disk, in the words of xl.cfg (Xen host)", NULL},
    {"block-detach", xl_cmd_block_detach, false, "[-f] DOMAIN VDEV",
     "Take a disk from a running domain (Xen host)", detach_options},
    {"block-list", xl_cmd_block_list, false, "[--json] DOMAIN ...",
     "List domains' disks (Xen host)", device_list_options},
    {"network-attach", xl_cmd_network_attach, false, "DOMAIN [KEY=VALUE ...]",
     "Give a running domain an interface, in the words of xl.cfg (Xen host)",
     NULL},
    {"network-detach", xl_cmd_network_detach, false, "[-f] DOMAIN DEVID|MAC",
     "Take an interface from a running domain (Xen host)", detach_options},
    {"network-list", xl_cmd_network_list, false, "[--json] DOMAIN ...",
     "List domains' interfaces (Xen host)", device_list_options},
    {"sched-credit", xl_cmd_sched_credit, false, "[-d DOMAIN [OPTIONS]]",
     "Show, or set, how domains share the processors", sched_options},
    {"sched-credit2", xl_cmd_sched_credit, false, "[-d DOMAIN [OPTIONS]]",
     "The same, by its other name", sched_options},
    {"agent-ping", xl_cmd_agent_ping, false, "[OPTIONS] DOMAIN",
     "Does the agent in a guest answer, and how fast?", agent_ping_options},
    {"agent-info", xl_cmd_agent_info, false, "[OPTIONS] DOMAIN",
     "What a guest says of itself: system, addresses, memory", agent_options},
    {"agent-capabilities", xl_cmd_agent_capabilities, false, "[OPTIONS] DOMAIN",
     "Which calls the agent in a guest answers", agent_options},
    {"agent-viewfile", xl_cmd_agent_viewfile, false, "[OPTIONS] DOMAIN PATH",
     "Show the beginning (512 KiB) of a guest's file", agent_text_options},
    {"agent-getfile", xl_cmd_agent_getfile, false,
     "[OPTIONS] DOMAIN PATH [FILE]", "Copy a guest's file to here",
     agent_getfile_options},
    {"agent-viewdmesg", xl_cmd_agent_viewdmesg, false, "[OPTIONS] DOMAIN",
     "Show a guest's kernel log", agent_text_options},
    {"agent-shutdown", xl_cmd_agent_shutdown, false, "[OPTIONS] DOMAIN",
     "Have a guest power itself off, by its agent", agent_shutdown_options},
    {"agent-fsfreeze", xl_cmd_agent_fsfreeze, false, "[OPTIONS] DOMAIN",
     "Freeze a guest's file systems, by its agent", agent_fsfreeze_options},
    {"agent-fsthaw", xl_cmd_agent_fsthaw, false, "[OPTIONS] DOMAIN",
     "Let a guest's file systems go on", agent_options},
    {"agent-settime", xl_cmd_agent_settime, false, "[OPTIONS] DOMAIN",
     "Set a guest's clock to this host's, by its agent", agent_options},
    {"agent-exec", xl_cmd_agent_exec, false,
     "[OPTIONS] DOMAIN PROGRAM [ARG ...]",
     "Run a program in a guest, if its agent may", agent_exec_options},
    {"agent-putfile", xl_cmd_agent_putfile, false, "[OPTIONS] DOMAIN FILE PATH",
     "Copy a file into a guest, if its agent may", agent_putfile_options},
    {"agent-call", xl_cmd_agent_call, false, "[OPTIONS] DOMAIN METHOD [JSON]",
     "Any call to the agent in a guest", agent_options},
    {"info", xl_cmd_info, false, "", "About this host", NULL},
    {"help", xl_cmd_help, true, "[--long] [COMMAND]",
     "List the commands, or explain one", NULL},
    {.name = NULL},
};

struct not_offered {
    const char *names; /* with a blank around each */
    const char *why;
};

static const struct not_offered not_offered[] = {
    {" mem-max ", "a domain's maximum is fixed when it is created (maxmem)"},
    {" vcpu-set vcpu-pin ", "vcpus are fixed when the domain is created"},
    {" cd-insert cd-eject vtpm-attach vtpm-detach vtpm-list "
     "vkb-attach vkb-detach vkb-list vdispl-attach vdispl-detach vdispl-list "
     "vsnd-attach vsnd-detach vsnd-list usb-list usbctrl-attach "
     "usbctrl-detach usbdev-attach usbdev-detach channel-list ",
     "devices are fixed when the domain is created ('xl list -l' shows them)"},
    {" pci-attach pci-detach pci-list pci-assignable-add "
     "pci-assignable-remove pci-assignable-list ",
     "host devices cannot be passed through"},
    {" button-press ", "it is old; use 'xl trigger'"},
    {" config-update ", "destroy the domain and create it anew"},
    {" dump-core vncviewer top ", "there is no such function here yet"},
    {" remus ", "checkpointing to another host is not offered"},
    {" sched-rtds cpupool-create cpupool-list "
     "cpupool-destroy cpupool-rename cpupool-cpu-add cpupool-cpu-remove "
     "cpupool-migrate cpupool-numa-split dmesg debug-keys set-parameters "
     "sharing claims tmem-list getenforce setenforce loadpolicy psr-hwinfo "
     "psr-cmt-attach psr-cmt-detach psr-cmt-show psr-cat-set psr-cat-show "
     "psr-mba-set psr-mba-show qemu-monitor-command devd ",
     "it belongs to the Xen hypervisor or to Xen's device model"},
};

const struct xl_command *xl_command_find(const char *name)
{
    const struct xl_command *found = NULL;
    size_t n = strlen(name);
    int matches = 0;

    for (const struct xl_command *cmd = xl_commands; cmd->name; cmd++) {
        if (!strcmp(cmd->name, name))
            return cmd;
        if (n && !strncmp(cmd->name, name, n)) {
            found = cmd;
            matches++;
        }
    }
    return matches == 1 ? found : NULL;
}

const char *xl_command_not_offered(const char *name)
{
    char blanked[40];

    if (snprintf(blanked, sizeof(blanked), " %s ", name) >=
            (int)sizeof(blanked) || strchr(name, ' '))
        return NULL;
    for (size_t i = 0; i < sizeof(not_offered) / sizeof(not_offered[0]); i++) {
        if (strstr(not_offered[i].names, blanked))
            return not_offered[i].why;
    }
    return NULL;
}
