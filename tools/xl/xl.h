/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl.h - what every command has: the context, messages, options, domains.
 *
 * Exit codes: 0 done; 1 it failed or this host cannot; 2 wrong usage.
 * Messages:   one a failure. The library has logged why when it returns an
 *             error; a command adds what that means to its user, if anything.
 */
#ifndef XL_H
#define XL_H

#include <getopt.h>
#include <stdio.h>

#include <libxl.h>

#include "xl_progress.h"

#define XL_OK 0
#define XL_FAILED 1
#define XL_USAGE 2

struct xl;

struct xl_command {
    const char *name;
    int (*run)(struct xl *xl, int argc, char **argv);
    bool no_ctx;         /* works without a host */
    const char *args;    /* "[OPTIONS] DOMAIN FILE" */
    const char *summary; /* a line for xl help */
    const char *options; /* the lines of xl help COMMAND; NULL: none */
};

struct xl {
    libxl_logger logger; /* first: the library's calls come back here */
    libxl_ctx *ctx;
    const struct xl_command *command;
    int verbose;
    bool force, dry_run, timestamps;
    struct xl_progress progress;
};

/* ---- commands (xl_commands.c) ---- */

extern const struct xl_command xl_commands[]; /* ends with a NULL name */
/* An exact name, or the one that begins so; NULL: none or several. */
const struct xl_command *xl_command_find(const char *name);
/* Why a command of Xen's xl is not there; NULL: no such command. */
const char *xl_command_not_offered(const char *name);

/* ---- messages (xl_log.c) ---- */

void xl_log_init(struct xl *xl);
void xl_error(struct xl *xl, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void xl_warn(struct xl *xl, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* What a command says of its work, on stderr. */
void xl_say(struct xl *xl, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Was everything written to stdout? Says so if not. */
bool xl_stdout_ok(struct xl *xl);

/* ---- options (xl_opts.c) ---- */

#define XL_OPT_END (-1)
#define XL_OPT_EXIT (-2) /* -h, or a wrong option: return *exit_code */

/* getopt_long with the command's help behind -h and --help. */
int xl_getopt(struct xl *xl, int argc, char **argv, const char *shorts,
              const struct option *longs, int *exit_code);
/* Are there between min and max arguments behind the options? If not, the
 * usage is shown: return XL_USAGE. */
bool xl_count_args(struct xl *xl, int argc, int min, int max);
/* For commands with no options of their own: the two above in one. true: argv
 * from optind on are the arguments. */
bool xl_args_only(struct xl *xl, int argc, char **argv, int min, int max,
                  int *exit_code);
void xl_usage(const struct xl_command *cmd, FILE *to);

/* ---- domains (xl_domain.c) ---- */

/* By number, name or uuid; says so when there is none. */
bool xl_find_domain(struct xl *xl, const char *text, uint32_t *domid);
/* malloc'ed; "(unnamed)" when it has just gone. NULL: no memory. */
char *xl_domain_name(struct xl *xl, uint32_t domid);
/* 512, 512m, 1g, 1048576k: KiB; plain numbers are MiB. */
bool xl_parse_memory(const char *text, int64_t *kb);
/* Runs a one-domain operation. */
int xl_on_domain(struct xl *xl, int argc, char **argv,
                 int (*op)(libxl_ctx *ctx, uint32_t domid,
                           const libxl_asyncop_how *how));

/* Has the guest's agent power it off or reboot it, if there is an agent that
 * says it will. Silent if not. */
bool xl_agent_power(struct xl *xl, uint32_t domid, bool reboot);

/* ---- Ctrl-C (xl_interrupt.c) ---- */

/* From here to the end, SIGINT, SIGTERM and SIGHUP ask the running operation
 * to stop and put things back; nothing is left half done. */
void xl_interruptible_begin(struct xl *xl);
void xl_interruptible_end(struct xl *xl);
bool xl_was_interrupted(void);

/* ---- parts that several commands share ---- */

struct xl_cfg;
/* A configuration file (NULL: none; "-": stdin) and what the command line adds
 * ("key=value", NULL-terminated, may be NULL). false: said why. */
bool xl_read_config(struct xl *xl, const char *path, char *const *more,
                    libxl_domain_config *config);
/* The same, for a state that there is: what the file leaves open of the
 * machine and the MACs is as in like, or as the domain has it. */
bool xl_read_config_like(struct xl *xl, const char *path,
                         const libxl_domain_config *like,
                         libxl_domain_config *config);
bool xl_read_config_of(struct xl *xl, const char *path, uint32_t domid,
                       libxl_domain_config *config);
bool xl_config_from_text(struct xl *xl, const char *source, const char *text,
                         libxl_domain_config *config);

/* A new domain, still paused: its keeper, its console (if asked for), unpaused
 * (unless told not to). An exit code; on failure the domain is destroyed. */
struct xl_start {
    bool paused, no_restart, console, foreground;
};
int xl_start_domain(struct xl *xl, uint32_t domid, const struct xl_start *how);
/* Until the domain is gone. */
int xl_wait_gone(struct xl *xl, uint32_t domid);

int xl_console_open(struct xl *xl, uint32_t domid); /* -1: said why */
int xl_console_run(struct xl *xl, int fd);          /* an exit code; closes */

/* ---- the commands (cmd_NAME.c) ---- */

int xl_cmd_create(struct xl *xl, int argc, char **argv);
int xl_cmd_list(struct xl *xl, int argc, char **argv);
int xl_cmd_vm_list(struct xl *xl, int argc, char **argv);
int xl_cmd_destroy(struct xl *xl, int argc, char **argv);
int xl_cmd_pause(struct xl *xl, int argc, char **argv);
int xl_cmd_unpause(struct xl *xl, int argc, char **argv);
int xl_cmd_shutdown(struct xl *xl, int argc, char **argv);
int xl_cmd_reboot(struct xl *xl, int argc, char **argv);
int xl_cmd_rename(struct xl *xl, int argc, char **argv);
int xl_cmd_domid(struct xl *xl, int argc, char **argv);
int xl_cmd_domname(struct xl *xl, int argc, char **argv);
int xl_cmd_mem_set(struct xl *xl, int argc, char **argv);
int xl_cmd_vcpu_list(struct xl *xl, int argc, char **argv);
int xl_cmd_uptime(struct xl *xl, int argc, char **argv);
int xl_cmd_trigger(struct xl *xl, int argc, char **argv);
int xl_cmd_sysrq(struct xl *xl, int argc, char **argv);
int xl_cmd_sched_credit(struct xl *xl, int argc, char **argv);
int xl_cmd_block_attach(struct xl *xl, int argc, char **argv);
int xl_cmd_block_detach(struct xl *xl, int argc, char **argv);
int xl_cmd_block_list(struct xl *xl, int argc, char **argv);
int xl_cmd_network_attach(struct xl *xl, int argc, char **argv);
int xl_cmd_network_detach(struct xl *xl, int argc, char **argv);
int xl_cmd_network_list(struct xl *xl, int argc, char **argv);
int xl_cmd_console(struct xl *xl, int argc, char **argv);
int xl_cmd_info(struct xl *xl, int argc, char **argv);
int xl_cmd_save(struct xl *xl, int argc, char **argv);
int xl_cmd_restore(struct xl *xl, int argc, char **argv);
int xl_cmd_migrate(struct xl *xl, int argc, char **argv);
int xl_cmd_migrate_receive(struct xl *xl, int argc, char **argv);
int xl_cmd_recover(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_ping(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_capabilities(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_info(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_viewfile(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_getfile(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_viewdmesg(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_shutdown(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_fsfreeze(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_fsthaw(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_settime(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_exec(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_putfile(struct xl *xl, int argc, char **argv);
int xl_cmd_agent_call(struct xl *xl, int argc, char **argv);
int xl_cmd_help(struct xl *xl, int argc, char **argv);

#endif
