/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl repair: copy what can still be read of a damaged store to a new one.
 * The damaged store is not changed.
 */
#include "tools/command.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs.h"
#include "kvfs/store.h"
#include "tools/mounts.h"
#include "util/path_probe.h"

/* Repair the rows of the new store, so that it is a consistent file system. */
static int
mend_store(const char *store, struct finding_list *lost)
{
	struct kv_options opts;
	struct kv *kv;
	int rc, rc2;

	kv_options_init(&opts);
	opts.create = false;
	/* The close makes everything durable. */
	opts.sync = KV_SYNC_OFF;
	opts.owner = "kvfsctl repair";
	opts.warm_up = false;
	rc = kv_open(store, &opts, &kv);
	if (rc < 0)
		return rc;
	rc = fs_mend(kv, lost, stdout);
	rc2 = kv_close(kv);
	return rc < 0 || rc2 == 0 ? rc : rc2;
}

static int
repair_run(const struct command *cmd, int argc, char **argv)
{
	struct finding_list *lost = fs_losses_create();
	struct path_probe p;
	struct mount m;
	int rc, changes;

	if (getopt(argc, argv, "+") != -1 || argc - optind != 2)
		return command_misuse(cmd);
	argv += optind;
	rc = path_probe(argv[0], &p);
	if (rc < 0)
		return command_failed(argv[0], rc);
	if (mount_at(p.path, &m) > 0 && (p.is_kvfs || m.is_kvfs)) {
		warnx("%s: a mountpoint; unmount it and name the store",
		    argv[0]);
		return 1;
	}
	/* A failure has been logged. */
	rc = kv_repair(p.path, argv[1], fs_losses_add, lost, stdout);
	if (rc < 0) {
		fs_losses_destroy(lost);
		return command_close(NULL, 1);
	}
	changes = mend_store(argv[1], lost);
	fs_losses_destroy(lost);
	if (changes < 0) {
		command_failed(argv[1], changes);
		warnx("%s: what was saved is there, but \"kvfsctl check\" "
		      "finds faults in it",
		    argv[1]);
		return command_close(NULL, 1);
	}
	printf("Rows put right: %d\n", changes);
	printf("Losses: %d\n", rc);
	return command_close(NULL, rc != 0 || changes != 0);
}

const struct command cmd_repair = {
	.name = "repair",
	.summary = "salvage a damaged store into a new directory",
	.usage = "repair STORE DIRECTORY",
	.run = repair_run,
};
