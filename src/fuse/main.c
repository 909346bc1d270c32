/* SPDX-License-Identifier: ISC */
/*
 * kvfs, the daemon: checks its options, goes to the background, opens the
 * store, mounts, serves, closes. Exit status 0: mounted (or, in the
 * foreground, ended without an error); 1: failure; 2: wrong usage. See
 * kvfs(1).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/memory.h"
#include "fuse/mount/claim.h"
#include "fuse/mount/daemonize.h"
#include "fuse/mount/mountpoint.h"
#include "fuse/mount/remount.h"
#include "fuse/mount/store_path.h"
#include "fuse/mount/watcher.h"
#include "fuse/options/options.h"
#include "fuse/session.h"
#include "util/log.h"
#include "util/process.h"

enum { EXIT_MISUSE = 2 };

/* At the end, wait so long for the log's reader to take the last lines. */
#define LOG_END_MS 1000

/* Each table is an open file: raise the limit as far as the system allows. */
static void
raise_file_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

/* The daemon reads signals from a descriptor. Threads inherit the mask. */
static void
block_signals(void)
{
	sigset_t set;

	session_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int
daemon_serve(struct daemon *d, const struct options *opts, const char *store,
    const char *mountpoint)
{
	struct session *s = calloc(1, sizeof(*s));
	int rc, closed, watcher = -1;

	if (s == NULL)
		return -ENOMEM;
	if (opts->auto_unmount && (watcher = watcher_start(mountpoint)) < 0) {
		free(s);
		return watcher;
	}
	block_signals();
	log_start_thread();
	(void)umask(077);
	if (chdir("/") < 0)
		log_warn("/: %s", strerror(errno));
	rc = session_open(s, opts, store, mountpoint, watcher);
	if (rc == 0) {
		setproctitle("%s on %s", store, mountpoint);
		daemon_ready(d);
		rc = session_wait(s);
	}
	closed = session_close(s);
	free(s);
	(void)log_flush(LOG_END_MS);
	return rc < 0 ? rc : closed;
}

static int
daemon_run(const struct options *opts)
{
	const struct mountpoint_hints hints = { opts->subtype, opts->store };
	struct daemon d = { .ready_fd = -1, .claim_fd = -1 };
	char *mountpoint = NULL, *store = NULL;
	dev_t dev;
	pid_t pid;
	int rc;

	rc = mountpoint_check_rights();
	if (rc == 0)
		rc = mountpoint_prepare(opts->mountpoint, &hints, &mountpoint,
		    &d.claim_fd);
	if (rc == 0)
		rc = store_path_prepare(opts->store, mountpoint,
		    opts->read_only, &store);
	if (rc < 0)
		goto done;
	if (opts->store == NULL)
		printf("kvfs: %s: the store is %s\n", mountpoint, store);
	fflush(stdout);
	raise_file_limit();
	if (opts->foreground) {
		rc = daemon_serve(&d, opts, store, mountpoint);
		goto done;
	}
	pid = daemon_fork(&d);
	if (pid == 0) {
		rc = daemon_serve(&d, opts, store, mountpoint);
	} else if (pid < 0) {
		rc = -ECHILD;
	} else if (!mountpoint_answers(mountpoint, &dev)) {
		log_error("%s: mounted, but does not answer: see the system "
			  "log",
		    mountpoint);
		kill(pid, SIGTERM);
		rc = -EIO;
	}
done:
	claim_drop(d.claim_fd);
	free(store);
	free(mountpoint);
	return rc;
}

int
main(int argc, char **argv)
{
	extern char **environ;
	struct options opts;
	int rc;

	process_reserve_standard_files();
	process_init_signals();
	memory_init();
	setproctitle_init(argc, argv, environ);
	log_set_program("kvfs");
	options_init(&opts);
	rc = options_parse(&opts, argc, argv);
	if (rc < 0) {
		rc = rc == -EINVAL ? EXIT_MISUSE : EXIT_FAILURE;
	} else if (opts.help) {
		options_usage(stdout);
	} else if (opts.version) {
		printf("kvfs %s\n", KVFS_VERSION);
	} else if (opts.remount != NULL) {
		rc = remount_apply(opts.mountpoint, opts.remount);
		if (rc < 0)
			rc = rc == -EINVAL ? EXIT_MISUSE : EXIT_FAILURE;
		free(opts.remount);
	} else {
		if (opts.debug)
			log_set_level(LOG_LVL_DEBUG);
		rc = daemon_run(&opts) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	return rc;
}
