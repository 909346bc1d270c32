/* SPDX-License-Identifier: ISC */
/* The contents of the control directory; see control_report.h. */
#include "fuse/control/control_report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuse/control/report_memory.h"
#include "fuse/lane/lane_socket.h"
#include "fuse/serve/loop.h"
#include "util/log.h"

/* Print the options in force, with sep after each. */
static void
print_options(struct control *c, FILE *out, const char *sep)
{
	struct options now;

	mutex_lock(&c->mu);
	now = c->opts;
	mutex_unlock(&c->mu);
	options_print(&now, out, sep);
}

static int
show_figures(struct control *c, struct report *r)
{
	struct timespec now;
	int rc;

	clock_gettime(CLOCK_BOOTTIME, &now);
	report_gauge(r, "Uptime seconds", "uptime_seconds",
	    (uint64_t)(now.tv_sec - c->started.tv_sec));
	report_gauge(r, "Backups open", "backups_open",
	    atomic_load_explicit(&c->backups, memory_order_relaxed));
	control_report_memory(c, r);
	fs_report(c->fs, r);
	rc = kv_report(c->kv, r->format, r->out);
	loop_report(c->loop, r);
	return rc < 0 && rc != -ENOTSUP ? rc : 0;
}

int
control_show_stats(struct control *c, FILE *out)
{
	struct report r;

	report_init(&r, out, REPORT_TEXT);
	fprintf(out, "Version: %s\n", KVFS_VERSION);
	fprintf(out, "Mountpoint: %s\n", c->mountpoint);
	fprintf(out, "Store: %s\n", c->store);
	fprintf(out, "Pid: %d\n", (int)getpid());
	if (c->conn->lane->path[0] != '\0')
		fprintf(out, "Lane: %s\n", c->conn->lane->path);
	fputs("Options: ", out);
	print_options(c, out, " ");
	fprintf(out, "\nStateless: %s\n", c->conn->stateless ? "yes" : "no");
	return show_figures(c, &r);
}

int
control_show_metrics(struct control *c, FILE *out)
{
	struct report r;

	report_init(&r, out, REPORT_METRICS);
	return show_figures(c, &r);
}

int
control_show_options(struct control *c, FILE *out)
{
	print_options(c, out, "\n");
	return 0;
}

/* The write-back cache is committed first, so that the rows are complete. */
int
control_show_check(struct control *c, FILE *out)
{
	int rc = c->read_only ? 0 : fs_sync(c->fs);

	if (rc == 0)
		rc = fs_check(c->kv, out);
	if (rc < 0)
		return rc;
	fprintf(out, "Problems: %d\n", rc);
	return 0;
}

int
control_show_sync(struct control *c, FILE *out)
{
	char mode[64];

	mutex_lock(&c->mu);
	kv_options_format_sync(&c->opts.kv, mode, sizeof(mode));
	mutex_unlock(&c->mu);
	fprintf(out, "Mode: %s\n", mode);
	return 0;
}

int
control_open_backup(struct control *c, struct kv_backup **backupp)
{
	int rc = c->read_only ? 0 : fs_sync(c->fs);

	*backupp = NULL;
	return rc == 0 ? kv_backup_open(c->kv, backupp) : rc;
}

static void
apply_fs(struct control *c, struct options *now, const struct options *o)
{
	now->fs = o->fs;
	fs_set_options(c->fs, &o->fs);
	loop_set_commits_wait(c->loop, o->kv.sync == KV_SYNC_FULL);
	atomic_store_explicit(&c->conn->flush_lazy, !o->fs.flush_on_close,
	    memory_order_relaxed);
}

/* Does not hold c->mu while the store changes: requests need it. */
int
control_do_options(struct control *c, const char *text)
{
	struct options now, changed;
	int rc;

	mutex_lock(&c->change_mu);
	mutex_lock(&c->mu);
	now = changed = c->opts;
	mutex_unlock(&c->mu);
	rc = options_change(&changed, text);
	if (rc == 0) {
		rc = options_apply(c->kv, &now, &changed);
		if (rc == 0)
			apply_fs(c, &now, &changed);
		mutex_lock(&c->mu);
		c->opts = now;
		mutex_unlock(&c->mu);
	}
	mutex_unlock(&c->change_mu);
	return rc;
}

/* The write-back cache is committed first. */
int
control_do_flush(struct control *c, const char *text)
{
	int rc = fs_sync(c->fs);

	(void)text;
	return rc == 0 ? kv_flush(c->kv) : rc;
}

int
control_do_compact(struct control *c, const char *text)
{
	int rc = fs_sync(c->fs);

	(void)text;
	return rc == 0 ? kv_compact(c->kv) : rc;
}

int
control_end_backups(struct control *c, const char *text)
{
	(void)text;
	atomic_fetch_add_explicit(&c->backup_ends, 1, memory_order_seq_cst);
	return 0;
}
