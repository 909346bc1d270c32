/* SPDX-License-Identifier: ISC */
/* The mount options; see option_table.h. */
#include "fuse/options/option_table.h"

#include "fuse/options/option_value.h"
#include "fuse/options/options.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define EIB (1ull << 60)

/* Room for the logs of an empty store and some contents. */
#define MAX_SIZE_MIN (4 * MIB)

/* The offset of field in struct options; does not compile if the field is
 * not of type T. */
#define FIELD(T, field)                                                        \
	(offsetof(struct options, field) +                                     \
	    0 * sizeof((T *)0 == &((struct options *)0)->field))

#define FLAG(field, value)                                                     \
	.type = &option_flag, .offset = FIELD(bool, field), .sets = (value)
#define WORD(field, yes, no)                                                   \
	.type = &option_word, .offset = FIELD(bool, field), .words = { yes, no }
#define CHOICE(field, T, value)                                                \
	.type = &option_choice, .offset = FIELD(T, field), .min = (value)
#define NUMBER(field, least, most)                                             \
	.type = &option_number, .offset = FIELD(uint32_t, field),              \
	.min = (least), .max = (most)
#define SIZE(field, least, most)                                               \
	.type = &option_size, .offset = FIELD(uint64_t, field),                \
	.min = (least), .max = (most)
#define BOUND(field, least, most)                                              \
	.type = &option_bound, .offset = FIELD(uint64_t, field),               \
	.min = (least), .max = (most)
#define NAME(field)                                                            \
	.type = &option_name, .offset = offsetof(struct options, field)
#define IGNORED(text) .name = (text), .type = &option_ignored

static int
apply_sync(struct kv *kv, const struct options *o)
{
	return kv_set_sync(kv, o->kv.sync, o->kv.sync_commits, o->kv.sync_ms);
}

static int
apply_wal_buffer(struct kv *kv, const struct options *o)
{
	return kv_set_wal_buffer(kv, o->kv.wal_buffer_bytes);
}

static int
apply_max_size(struct kv *kv, const struct options *o)
{
	return kv_set_max_size(kv, o->kv.max_bytes);
}

const struct option_spec option_specs[] = {
	{ .name = "profile",
	    .arg = "NAME",
	    .type = &option_profile,
	    .flags = OPTION_LIVE,
	    .standard = "balanced",
	    .help =
		"safe, balanced or fast: sync, flush and wal_buffer at once" },
	{ .name = "sync",
	    .arg = "MODE",
	    .type = &option_sync,
	    .apply = apply_sync,
	    .given = GIVEN_SYNC,
	    .flags = OPTION_LIVE | OPTION_VALUE_IS_OPTIONAL,
	    .help = "when the log becomes durable: full, every:N, interval:MS, "
		    "hybrid:N:MS, checkpoint or off" },
	{ .name = "flush",
	    .arg = "WHEN",
	    WORD(fs.flush_on_close, "close", "lazy"),
	    .given = GIVEN_FLUSH,
	    .flags = OPTION_LIVE,
	    .help = "close: close(2) commits contents; lazy: they wait" },
	{ .name = "writeback",
	    .arg = "MS",
	    NUMBER(fs.writeback_ms, 1, 3600000),
	    .flags = OPTION_LIVE,
	    .help = "longest time that contents wait for their commit" },
	{ .name = "writeback_size",
	    .arg = "SIZE",
	    SIZE(fs.writeback_bytes, MIB, 64 * GIB),
	    .given = GIVEN_WRITEBACK_SIZE,
	    .help = "most bytes that wait for their commit" },
	{ .name = "wal_buffer",
	    .arg = "SIZE",
	    SIZE(kv.wal_buffer_bytes, 0, 64 * MIB),
	    .apply = apply_wal_buffer,
	    .given = GIVEN_WAL_BUFFER,
	    .flags = OPTION_LIVE,
	    .help = "commits that may gather in the daemon; 0: none" },
	{ .name = "compression",
	    .arg = "CODEC",
	    WORD(kv.compress, "snappy", "none"),
	    .help = "snappy or none" },
	{ .name = "memory",
	    .arg = "SIZE",
	    SIZE(memory_bytes, 16 * MIB, 1024 * GIB),
	    .given = GIVEN_MEMORY,
	    .help = "all memory: cache, memtable and writeback_size are parts "
		    "of it" },
	{ .name = "cache",
	    .arg = "SIZE",
	    SIZE(kv.cache_bytes, MIB, 1024 * GIB),
	    .given = GIVEN_CACHE,
	    .help = "memory for blocks of the store, and for what waits or "
		    "merges" },
	{ .name = "memtable",
	    .arg = "SIZE",
	    SIZE(kv.memtable_bytes, 64 * KIB, 4 * GIB),
	    .given = GIVEN_MEMTABLE,
	    .help = "memory for changes before they become a table" },
	{ .name = "compaction_threads",
	    .arg = "N",
	    NUMBER(kv.compaction_threads, 1, 64),
	    .help = "threads that merge tables" },
	{ .name = "max_size",
	    .arg = "SIZE",
	    BOUND(kv.max_bytes, MAX_SIZE_MIN, EIB),
	    .apply = apply_max_size,
	    .flags = OPTION_LIVE,
	    .help =
		"most that the store may take on disk; 0: what the disk has" },
	{ .name = "ro",
	    FLAG(read_only, true),
	    .help = "mount read-only, write nothing at all" },
	{ .name = "rw",
	    FLAG(read_only, false),
	    .help = "mount for reading and writing" },
	{ .name = "noatime",
	    CHOICE(fs.atime, enum fs_atime, FS_ATIME_NEVER),
	    .help = "reading keeps access times, the default" },
	{ .name = "relatime",
	    CHOICE(fs.atime, enum fs_atime, FS_ATIME_RELATIVE),
	    .help = "reading updates access times older than the last change" },
	{ .name = "atime",
	    CHOICE(fs.atime, enum fs_atime, FS_ATIME_RELATIVE),
	    .flags = OPTION_IS_SILENT,
	    .help = "the same as relatime" },
	{ .name = "strictatime",
	    CHOICE(fs.atime, enum fs_atime, FS_ATIME_ALWAYS),
	    .help = "the first read after each open updates access times" },
	{ .name = "noxattr",
	    FLAG(noxattr, true),
	    .help =
		"no extended attributes; saves a request per file written" },
	{ .name = "acl",
	    FLAG(fs.acl, true),
	    .given = GIVEN_ACL,
	    .help = "POSIX access control lists, the default" },
	{ .name = "noacl",
	    FLAG(fs.acl, false),
	    .given = GIVEN_ACL,
	    .help = "none" },
	{ .name = "threads",
	    .arg = "N",
	    NUMBER(threads, 1, 256),
	    .help = "most requests served at a time" },
	{ .name = "spin",
	    .arg = "US",
	    NUMBER(spin_us, 0, 1000),
	    .help =
		"longest look for the next request before sleeping; 0: none" },
	{ .name = "affinity",
	    FLAG(affinity, true),
	    .help =
		"answer a program that is alone on the processor it runs on" },
	{ .name = "noaffinity",
	    FLAG(affinity, false),
	    .help = "answer on any processor" },
	{ .name = "max_background",
	    .arg = "N",
	    NUMBER(max_background, 1, 65535),
	    .help = "most readahead and asynchronous requests at a time" },
	{ .name = "kernel_writeback",
	    FLAG(kernel_writeback, true),
	    .help = "gather small writes in the kernel before kvfs sees them" },
	{ .name = "allow_other",
	    FLAG(allow_other, true),
	    .help = "let other users in (always so when root mounts)" },
	{ .name = "auto_unmount",
	    FLAG(auto_unmount, true),
	    .help = "unmount even when kvfs is killed" },
	{ .name = "suid", FLAG(nosuid, false), .help = "honour set-id bits" },
	{ .name = "nosuid", FLAG(nosuid, true), .help = "ignore set-id bits" },
	{ .name = "dev", FLAG(nodev, false), .help = "allow device files" },
	{ .name = "nodev", FLAG(nodev, true), .help = "refuse device files" },
	{ .name = "exec",
	    FLAG(noexec, false),
	    .flags = OPTION_IS_SILENT,
	    .help = "allow programs to run" },
	{ .name = "noexec",
	    FLAG(noexec, true),
	    .help = "refuse to run programs" },
	{ .name = "fsname",
	    .arg = "NAME",
	    NAME(fsname),
	    .help = "what the mount table shows in place of the store" },
	{ .name = "subtype",
	    .arg = "NAME",
	    NAME(subtype),
	    .help = "the mount table shows the type fuse.NAME, not fuse.kvfs" },
	{ IGNORED("default_permissions") },
	{ IGNORED("defaults") },
	{ IGNORED("async") },
	{ IGNORED("dirsync") },
	{ IGNORED("auto") },
	{ IGNORED("noauto") },
	{ IGNORED("user") },
	{ IGNORED("users") },
	{ IGNORED("nouser") },
	{ IGNORED("owner") },
	{ IGNORED("group") },
	{ IGNORED("nofail") },
	{ IGNORED("_netdev") },
	{ IGNORED("diratime") },
	{ IGNORED("nodiratime") },
	{ IGNORED("silent") },
	{ IGNORED("loud") },
	{ IGNORED("comment"), .arg = "TEXT",
	    .flags = OPTION_VALUE_IS_OPTIONAL },
};
const size_t option_count = sizeof(option_specs) / sizeof(option_specs[0]);
