/* SPDX-License-Identifier: ISC */
/* The contents of the control directory; see control_report.h. */
#include "fuse/control/control_report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "fuse/serve/loop.h"
#include "fuse/memory.h"
#include "util/log.h"

/* Options in force, in one line or one a line. */
static void
print_options(struct session *s, FILE *out, const char *sep)
{
	struct options now;

	mutex_lock(&s->mu);
	now = s->opts;
	mutex_unlock(&s->mu);
	options_print(&now, out, sep);
}

static int
show_figures(struct session *s, struct report *r, const char *command)
{
	struct timespec now;
	int rc;

	clock_gettime(CLOCK_BOOTTIME, &now);
	report_gauge(r, "Uptime seconds", "uptime_seconds",
	    (uint64_t)(now.tv_sec - s->started.tv_sec));
	report_gauge(r, "Backups open", "backups_open",
	    atomic_load(&s->backups));
	memory_report(s, r);
	fs_report(s->fs, r);
	rc = kv_control(s->kv, command, r->out);
	loop_report(s->loop, r);
	return rc < 0 && rc != -ENOTSUP ? rc : 0;
}

int
control_show_stats(struct session *s, FILE *out)
{
	struct report r;

	report_init(&r, out, REPORT_TEXT);
	fprintf(out, "Version: %s\n", KVFS_VERSION);
	fprintf(out, "Mountpoint: %s\n", s->mountpoint);
	fprintf(out, "Store: %s\n", s->store);
	fprintf(out, "Pid: %d\n", (int)getpid());
	fputs("Options: ", out);
	print_options(s, out, " ");
	fputs("\n", out);
	return show_figures(s, &r, "stats");
}

int
control_show_metrics(struct session *s, FILE *out)
{
	struct report r;

	report_init(&r, out, REPORT_PROMETHEUS);
	return show_figures(s, &r, "metrics");
}

int
control_show_options(struct session *s, FILE *out)
{
	print_options(s, out, "\n");
	return 0;
}

/* Contents that wait are committed first, so that the rows are whole. */
int
control_show_check(struct session *s, FILE *out)
{
	int blocks, rows;
	int rc = 0;

	if (!s->opts.read_only)
		rc = fs_sync(s->fs);
	if (rc < 0)
		return rc;
	blocks = kv_control(s->kv, "check-tables", out);
	if (blocks == -ENOTSUP)
		blocks = 0;
	if (blocks < 0)
		return blocks;
	rows = fs_verify(s->kv, out);
	if (rows < 0)
		return rows;
	fprintf(out, "Problems: %" PRId64 "\n", (int64_t)blocks + rows);
	return 0;
}

int
control_show_sync(struct session *s, FILE *out)
{
	char mode[64];

	mutex_lock(&s->mu);
	kv_options_format_sync(&s->opts.kv, mode, sizeof(mode));
	mutex_unlock(&s->mu);
	fprintf(out, "Mode: %s\n", mode);
	return 0;
}

int
control_open_backup(struct session *s, struct kv_backup **backupp)
{
	int rc = s->opts.read_only ? 0 : fs_sync(s->fs);

	*backupp = NULL;
	return rc == 0 ? kv_backup_open(s->kv, backupp) : rc;
}

static int
set_kv(struct session *s, const char *name, const char *value)
{
	char command[128], ignored[256];
	FILE *out = fmemopen(ignored, sizeof(ignored), "w");
	int rc;

	if (out == NULL)
		return -ENOMEM;
	snprintf(command, sizeof(command), "set %s=%s", name, value);
	rc = kv_control(s->kv, command, out);
	fclose(out);
	return rc < 0 ? rc : 0;
}

/* Hand what differs to the store, which may wait for its disk; now becomes
 * what is in force. */
static int
apply_kv(struct session *s, struct options *now, const struct options *o)
{
	char have[64], want[64];
	int rc = 0;

	kv_options_format_sync(&now->kv, have, sizeof(have));
	kv_options_format_sync(&o->kv, want, sizeof(want));
	if (strcmp(have, want) != 0)
		rc = set_kv(s, "sync", want);
	if (rc < 0)
		return rc;
	now->kv.sync = o->kv.sync;
	now->kv.sync_commits = o->kv.sync_commits;
	now->kv.sync_ms = o->kv.sync_ms;
	if (now->kv.wal_buffer_bytes != o->kv.wal_buffer_bytes) {
		snprintf(want, sizeof(want), "%" PRIu64,
		    o->kv.wal_buffer_bytes);
		rc = set_kv(s, "wal_buffer", want);
	}
	if (rc < 0)
		return rc;
	now->kv.wal_buffer_bytes = o->kv.wal_buffer_bytes;
	if (now->kv.max_bytes != o->kv.max_bytes) {
		snprintf(want, sizeof(want), "%" PRIu64, o->kv.max_bytes);
		rc = set_kv(s, "max_size", want);
	}
	if (rc == 0)
		now->kv.max_bytes = o->kv.max_bytes;
	return rc;
}

static void
apply_fs(struct session *s, struct options *now, const struct options *o)
{
	now->fs = o->fs;
	fs_set_options(s->fs, &o->fs);
	loop_set_commits_wait(s->loop, o->kv.sync == KV_SYNC_FULL);
	atomic_store_explicit(&s->flush_lazy, !o->fs.flush_on_close,
	    memory_order_relaxed);
}

/* s->mu is not held meanwhile: requests take it. */
int
control_do_options(struct session *s, const char *text)
{
	struct options now, changed;
	int rc;

	mutex_lock(&s->change_mu);
	mutex_lock(&s->mu);
	now = changed = s->opts;
	mutex_unlock(&s->mu);
	rc = options_change(&changed, text);
	if (rc == 0) {
		rc = apply_kv(s, &now, &changed);
		if (rc == 0)
			apply_fs(s, &now, &changed);
		mutex_lock(&s->mu);
		s->opts = now;
		mutex_unlock(&s->mu);
	}
	mutex_unlock(&s->change_mu);
	return rc;
}

/* A command to the store after the contents that wait. */
static int
command(struct session *s, const char *name)
{
	char said[1024] = "";
	FILE *out = fmemopen(said, sizeof(said), "w");
	int rc;

	if (out == NULL)
		return -ENOMEM;
	rc = fs_sync(s->fs);
	if (rc == 0)
		rc = kv_control(s->kv, name, out);
	fclose(out);
	return rc < 0 ? rc : 0;
}

int
control_do_flush(struct session *s, const char *text)
{
	(void)text;
	return command(s, "flush");
}

int
control_do_compact(struct session *s, const char *text)
{
	(void)text;
	return command(s, "compact");
}

int
control_end_backups(struct session *s, const char *text)
{
	(void)text;
	atomic_fetch_add(&s->backup_ends, 1);
	return 0;
}
