/* SPDX-License-Identifier: ISC */
/*
 * The table of mount options, and what is printed from it: --help, and the
 * options of a running kvfs.
 */
#include "fuse/options/option_table.h"

#include <inttypes.h>
#include <string.h>

#include "fuse/options/options.h"

const struct option_spec option_specs[] = {
	{ "profile", "NAME", OPT_PROFILE, LIVE,
	    "safe, balanced or fast: sync, flush and wal_buffer at once" },
	{ "sync", "MODE", OPT_SYNC, LIVE,
	    "when the log becomes durable: full, every:N, interval:MS, "
	    "hybrid:N:MS, checkpoint or off" },
	{ "flush", "WHEN", OPT_FLUSH, LIVE,
	    "close: close(2) commits contents; lazy: they wait" },
	{ "writeback", "MS", OPT_WRITEBACK, LIVE,
	    "longest time that contents wait for their commit" },
	{ "writeback_size", "SIZE", OPT_WRITEBACK_SIZE, 0,
	    "most bytes that wait for their commit" },
	{ "wal_buffer", "SIZE", OPT_WAL_BUFFER, LIVE,
	    "commits that may gather in the daemon; 0: none" },
	{ "compression", "CODEC", OPT_COMPRESSION, 0, "snappy or none" },
	{ "memory", "SIZE", OPT_MEMORY, 0,
	    "all memory: cache, memtable and writeback_size are parts of it" },
	{ "cache", "SIZE", OPT_CACHE, 0,
	    "memory for blocks of the store, and for what waits or merges" },
	{ "memtable", "SIZE", OPT_MEMTABLE, 0,
	    "memory for changes before they become a table" },
	{ "compaction_threads", "N", OPT_COMPACTION_THREADS, 0,
	    "threads that merge tables" },
	{ "max_size", "SIZE", OPT_MAX_SIZE, LIVE,
	    "most that the store may take on disk; 0: what the disk has" },
	{ "ro", NULL, OPT_RO, 0, "mount read-only, write nothing at all" },
	{ "rw", NULL, OPT_RW, 0, "mount for reading and writing" },
	{ "noatime", NULL, OPT_NOATIME, 0, "reading keeps access times" },
	{ "relatime", NULL, OPT_RELATIME, 0,
	    "reading updates access times older than the last change" },
	{ "atime", NULL, OPT_RELATIME, 0, "the same as relatime" },
	{ "noxattr", NULL, OPT_NOXATTR, 0,
	    "no extended attributes; saves a request per file written" },
	{ "acl", NULL, OPT_ACL, 0, "POSIX access control lists, the default" },
	{ "noacl", NULL, OPT_NOACL, 0, "none" },
	{ "threads", "N", OPT_THREADS, 0, "most requests served at a time" },
	{ "spin", "US", OPT_SPIN, 0,
	    "longest look for the next request before sleeping; 0: none" },
	{ "affinity", NULL, OPT_AFFINITY, 0,
	    "answer a program that is alone on the processor it runs on" },
	{ "noaffinity", NULL, OPT_NOAFFINITY, 0, "answer on any processor" },
	{ "max_background", "N", OPT_MAX_BACKGROUND, 0,
	    "most readahead and asynchronous requests at a time" },
	{ "kernel_writeback", NULL, OPT_KERNEL_WRITEBACK, 0,
	    "gather small writes in the kernel before kvfs sees them" },
	{ "allow_other", NULL, OPT_ALLOW_OTHER, 0,
	    "let other users in (always so when root mounts)" },
	{ "auto_unmount", NULL, OPT_AUTO_UNMOUNT, 0,
	    "unmount even when kvfs is killed" },
	{ "suid", NULL, OPT_SUID, 0, "honour set-id bits" },
	{ "nosuid", NULL, OPT_NOSUID, 0, "ignore set-id bits" },
	{ "dev", NULL, OPT_DEV, 0, "allow device files" },
	{ "nodev", NULL, OPT_NODEV, 0, "refuse device files" },
	{ "exec", NULL, OPT_EXEC, 0, "allow programs to run" },
	{ "noexec", NULL, OPT_NOEXEC, 0, "refuse to run programs" },
	{ "fsname", "NAME", OPT_FSNAME, 0,
	    "what the mount table shows in place of the store" },
	{ "subtype", "NAME", OPT_SUBTYPE, 0,
	    "the mount table shows the type fuse.NAME, not fuse.kvfs" },
	{ "default_permissions", NULL, OPT_IGNORED, 0, NULL },
	{ "defaults", NULL, OPT_IGNORED, 0, NULL },
	{ "async", NULL, OPT_IGNORED, 0, NULL },
	{ "dirsync", NULL, OPT_IGNORED, 0, NULL },
	{ "auto", NULL, OPT_IGNORED, 0, NULL },
	{ "noauto", NULL, OPT_IGNORED, 0, NULL },
	{ "user", NULL, OPT_IGNORED, 0, NULL },
	{ "users", NULL, OPT_IGNORED, 0, NULL },
	{ "nouser", NULL, OPT_IGNORED, 0, NULL },
	{ "owner", NULL, OPT_IGNORED, 0, NULL },
	{ "group", NULL, OPT_IGNORED, 0, NULL },
	{ "nofail", NULL, OPT_IGNORED, 0, NULL },
	{ "_netdev", NULL, OPT_IGNORED, 0, NULL },
	{ "diratime", NULL, OPT_IGNORED, 0, NULL },
	{ "nodiratime", NULL, OPT_IGNORED, 0, NULL },
	{ "silent", NULL, OPT_IGNORED, 0, NULL },
	{ "loud", NULL, OPT_IGNORED, 0, NULL },
	{ "comment", "TEXT", OPT_IGNORED, 0, NULL },
};
const size_t option_count = sizeof(option_specs) / sizeof(option_specs[0]);

void
option_format_size(uint64_t n, char *buf, size_t len)
{
	static const char suffixes[] = "KMG";
	int unit = -1;

	while (unit < 2 && n != 0 && n % 1024 == 0) {
		n /= 1024;
		unit++;
	}
	snprintf(buf, len, "%" PRIu64 "%.1s", n,
	    unit >= 0 ? &suffixes[unit] : "");
}

/* The value of an option that has one now; empty when it has none. */
static void
format_value(const struct options *o, enum option_id id, char *buf, size_t len)
{
	buf[0] = '\0';
	switch (id) {
	case OPT_SYNC:
		kv_options_format_sync(&o->kv, buf, len);
		break;
	case OPT_FLUSH:
		strlcpy(buf, o->fs.flush_on_close ? "close" : "lazy", len);
		break;
	case OPT_WRITEBACK:
		snprintf(buf, len, "%" PRIu32, o->fs.writeback_ms);
		break;
	case OPT_WRITEBACK_SIZE:
		option_format_size(o->fs.writeback_bytes, buf, len);
		break;
	case OPT_WAL_BUFFER:
		option_format_size(o->kv.wal_buffer_bytes, buf, len);
		break;
	case OPT_COMPRESSION:
		strlcpy(buf, o->kv.compress ? "snappy" : "none", len);
		break;
	case OPT_MEMORY:
		option_format_size(o->memory_bytes, buf, len);
		break;
	case OPT_CACHE:
		option_format_size(o->kv.cache_bytes, buf, len);
		break;
	case OPT_MEMTABLE:
		option_format_size(o->kv.memtable_bytes, buf, len);
		break;
	case OPT_COMPACTION_THREADS:
		snprintf(buf, len, "%u", o->kv.compaction_threads);
		break;
	case OPT_MAX_SIZE:
		option_format_size(o->kv.max_bytes, buf, len);
		break;
	case OPT_FSNAME:
		strlcpy(buf, o->fsname, len);
		break;
	case OPT_SUBTYPE:
		strlcpy(buf, o->subtype, len);
		break;
	case OPT_THREADS:
		snprintf(buf, len, "%u", o->threads);
		break;
	case OPT_SPIN:
		snprintf(buf, len, "%u", o->spin_us);
		break;
	case OPT_MAX_BACKGROUND:
		snprintf(buf, len, "%u", o->max_background);
		break;
	default:
		break;
	}
}

static bool
is_set(const struct options *o, enum option_id id)
{
	switch (id) {
	case OPT_RO:
		return o->read_only;
	case OPT_RW:
		return !o->read_only;
	case OPT_NOATIME:
		return !o->fs.atime;
	case OPT_RELATIME:
		return o->fs.atime;
	case OPT_NOXATTR:
		return o->noxattr;
	case OPT_ACL:
		return o->fs.acl;
	case OPT_NOACL:
		return !o->fs.acl;
	case OPT_AFFINITY:
		return o->affinity;
	case OPT_NOAFFINITY:
		return !o->affinity;
	case OPT_KERNEL_WRITEBACK:
		return o->kernel_writeback;
	case OPT_ALLOW_OTHER:
		return o->allow_other;
	case OPT_AUTO_UNMOUNT:
		return o->auto_unmount;
	case OPT_SUID:
		return !o->nosuid;
	case OPT_NOSUID:
		return o->nosuid;
	case OPT_DEV:
		return !o->nodev;
	case OPT_NODEV:
		return o->nodev;
	case OPT_NOEXEC:
		return o->noexec;
	default:
		return false;
	}
}

void
options_print(const struct options *o, FILE *out, const char *sep)
{
	char value[OPTION_VALUE_MAX];

	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *spec = &option_specs[i];

		/* A second name of the same option says nothing new. */
		if (spec->help == NULL ||
		    (i > 0 && spec->id == option_specs[i - 1].id))
			continue;
		format_value(o, spec->id, value, sizeof(value));
		if (value[0] != '\0')
			fprintf(out, "%s=%s%s", spec->name, value, sep);
		else if (is_set(o, spec->id))
			fprintf(out, "%s%s", spec->name, sep);
	}
}

void
options_usage(FILE *out)
{
	struct options o;
	char value[OPTION_VALUE_MAX], left[64];

	options_init(&o);
	fputs("usage: kvfs [STORE] MOUNTPOINT [-o option[,option...]] "
	      "[-f] [-d]\n"
	      "       kvfs -h | -V\n\n"
	      "Mounts the store in the directory STORE at MOUNTPOINT; without "
	      "STORE the one\nthat belongs to MOUNTPOINT.\n\n"
	      "  -f, --foreground  stay in the foreground\n"
	      "  -d, --debug       -f, and print every request\n"
	      "  -h, --help        print this\n"
	      "  -V, --version     print the version\n\n"
	      "Mount options, and their defaults; sizes take K, M or G:\n",
	    out);
	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (spec->help == NULL)
			continue;
		snprintf(left, sizeof(left), "-o %s%s%s", spec->name,
		    spec->arg != NULL ? "=" : "",
		    spec->arg != NULL ? spec->arg : "");
		format_value(&o, spec->id, value, sizeof(value));
		if (spec->id == OPT_PROFILE)
			strlcpy(value, "balanced", sizeof(value));
		fprintf(out, "  %-25s %s%s%s%s\n", left, spec->help,
		    value[0] != '\0' ? " (" : "", value,
		    value[0] != '\0' ? ")" : "");
	}
	fputs("\nOptions of mount(8) that are accepted and change nothing:\n",
	    out);
	for (size_t i = 0; i < option_count; i++) {
		if (option_specs[i].help == NULL)
			fprintf(out, "  -o %s%s%s\n", option_specs[i].name,
			    option_specs[i].arg != NULL ? "=" : "",
			    option_specs[i].arg != NULL ? option_specs[i].arg :
							  "");
	}
	fputs("  -o x-*\n", out);
}
