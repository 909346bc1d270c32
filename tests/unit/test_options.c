/* SPDX-License-Identifier: ISC */
/* Mount options and command line. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/options/option_table.h"
#include "fuse/options/options.h"
#include "support/suite.h"
#include "util/log.h"

static struct options o;
static char said[1024];

static void
keep_line(enum log_level level, const char *line)
{
	(void)level;
	strlcpy(said, line, sizeof(said));
}

static void
setup(void)
{
	options_init(&o);
	said[0] = '\0';
	log_set_sink(keep_line);
}

static int
parse(const char *list)
{
	options_init(&o);
	return options_parse_list(&o, list);
}

static void
expect_refused(const char *list, const char *text)
{
	said[0] = '\0';
	ck_assert_msg(parse(list) == -EINVAL, "%s was taken", list);
	ck_assert_msg(strstr(said, text) != NULL, "%s: \"%s\" not in \"%s\"",
	    list, text, said);
}

static void
expect_sync(const char *want)
{
	char got[64];

	kv_options_format_sync(&o.kv, got, sizeof(got));
	ck_assert_str_eq(got, want);
}

/* What options_print() says, to free(3). */
static char *
printed(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	options_print(&o, f, "\n");
	fclose(f);
	return text;
}

START_TEST(sizes_take_suffixes_and_overflow_is_refused)
{
	ck_assert_int_eq(parse("cache=1048576"), 0);
	ck_assert_uint_eq(o.kv.cache_bytes, 1048576);
	ck_assert_int_eq(parse("cache=2048K,memtable=3M"), 0);
	ck_assert_uint_eq(o.kv.cache_bytes, 2u << 20);
	ck_assert_uint_eq(o.kv.memtable_bytes, 3u << 20);
	ck_assert_int_eq(parse("cache=2g"), 0);
	ck_assert_uint_eq(o.kv.cache_bytes, 2ull << 30);
	expect_refused("cache=", "bad value");
	expect_refused("cache=K", "bad value");
	expect_refused("cache=0", "from 1M to 1024G");
	expect_refused("cache=-1M", "bad value");
	expect_refused("cache=+1M", "bad value");
	expect_refused("cache= 1M", "bad value");
	expect_refused("cache=1MB", "bad value");
	expect_refused("cache=1.5M", "bad value");
	expect_refused("cache=18446744073709551616", "bad value");
	expect_refused("cache=18014398509481985K", "bad value");
	expect_refused("cache=17179869185G", "bad value");
	expect_refused("memtable=1T", "bad value");
}
END_TEST

START_TEST(numbers_keep_their_bounds)
{
	ck_assert_int_eq(parse("threads=1,max_background=65535"), 0);
	ck_assert_uint_eq(o.threads, 1);
	ck_assert_uint_eq(o.max_background, 65535);
	expect_refused("threads=0", "from 1 to 256");
	expect_refused("threads=257", "bad value");
	expect_refused("threads=1K", "bad value");
	expect_refused("max_background=65536", "bad value");
	expect_refused("writeback=0", "bad value");
	expect_refused("compaction_threads=65", "bad value");
}
END_TEST

START_TEST(sync_modes_are_taken_in_every_spelling)
{
	static const char *const modes[] = { "full", "every:10", "interval:50",
		"hybrid:10:50", "checkpoint", "off" };
	char list[64];

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(list, sizeof(list), "sync=%s", modes[i]);
		ck_assert_int_eq(parse(list), 0);
		expect_sync(modes[i]);
	}
	ck_assert_int_eq(parse("sync"), 0);
	expect_sync("full");
	expect_refused("sync=", "bad value");
	expect_refused("sync=sometimes", "bad value");
	expect_refused("sync=every:0", "bad value");
	expect_refused("sync=interval:-5", "bad value");
}
END_TEST

START_TEST(the_last_of_opposites_counts)
{
	ck_assert_int_eq(parse("rw,ro"), 0);
	ck_assert(o.read_only && o.kv.read_only && o.fs.read_only);
	ck_assert(!o.kv.create);
	ck_assert_int_eq(parse("ro,rw"), 0);
	ck_assert(!o.read_only && o.kv.create);
	ck_assert_int_eq(parse("sync=off,sync=full"), 0);
	expect_sync("full");
	ck_assert_int_eq(parse("defaults"), 0);
	ck_assert(
	    o.fs.atime == FS_ATIME_NEVER && o.fs.acl && o.kv.max_bytes == 0);
	ck_assert_int_eq(parse("noatime,relatime"), 0);
	ck_assert(o.fs.atime == FS_ATIME_RELATIVE);
	ck_assert_int_eq(parse("relatime,strictatime"), 0);
	ck_assert(o.fs.atime == FS_ATIME_ALWAYS);
	ck_assert_int_eq(parse("strictatime,noatime"), 0);
	ck_assert(o.fs.atime == FS_ATIME_NEVER);
	ck_assert_int_eq(parse("noacl,acl,max_size=1G"), 0);
	ck_assert(o.fs.acl && o.kv.max_bytes == 1u << 30);
	expect_refused("max_size=1M", "at least 4M");
	ck_assert_int_eq(parse("acl,noacl"), 0);
	ck_assert(!o.fs.acl);
	ck_assert_int_eq(parse("noxattr"), 0);
	ck_assert(!o.fs.acl);
	expect_refused("acl,noxattr", "leave one of the two out");
	ck_assert_int_eq(parse("suid,nosuid,dev"), 0);
	ck_assert(o.nosuid && !o.nodev);
}
END_TEST

START_TEST(a_profile_yields_to_what_is_given_wherever_it_stands)
{
	ck_assert_int_eq(parse("profile=fast"), 0);
	expect_sync("interval:100");
	ck_assert(!o.fs.flush_on_close);
	ck_assert_uint_eq(o.kv.wal_buffer_bytes, 1u << 20);
	ck_assert_int_eq(parse("profile=safe"), 0);
	expect_sync("full");
	ck_assert(o.fs.flush_on_close);
	ck_assert_uint_eq(o.kv.wal_buffer_bytes, 0);
	ck_assert_int_eq(parse("sync=off,profile=safe"), 0);
	expect_sync("off");
	ck_assert_int_eq(parse("profile=fast,flush=close"), 0);
	ck_assert(o.fs.flush_on_close);
	expect_sync("interval:100");
	ck_assert_int_eq(parse("profile=fast,profile=safe"), 0);
	expect_sync("full");
	expect_refused("profile=reckless", "bad value");
}
END_TEST

START_TEST(the_default_is_the_balanced_profile)
{
	struct options plain;

	ck_assert_int_eq(parse(""), 0);
	plain = o;
	ck_assert_int_eq(parse("profile=balanced"), 0);
	ck_assert_int_eq(o.kv.sync, plain.kv.sync);
	ck_assert_uint_eq(o.kv.sync_ms, plain.kv.sync_ms);
	ck_assert_uint_eq(o.kv.wal_buffer_bytes, plain.kv.wal_buffer_bytes);
	ck_assert_int_eq(o.fs.flush_on_close, plain.fs.flush_on_close);
}
END_TEST

START_TEST(options_of_mount_are_accepted_and_unknown_ones_are_not)
{
	ck_assert_int_eq(parse("defaults,noauto,nofail,_netdev,user,users,"
			       "x-systemd.automount,x-a=b,X-b,comment=any,"
			       "fsname=a,subtype=kvfs,async,nouser"),
	    0);
	ck_assert_int_eq(parse(",,ro,,"), 0);
	ck_assert(o.read_only);
	expect_refused("cahce=1M", "unknown option");
	expect_refused("sync_=full", "unknown option");
	expect_refused("syn", "unknown option");
	expect_refused("=x", "unknown option");
	expect_refused("RO", "unknown option");
	expect_refused("ro=1", "takes no value");
	expect_refused("flush", "needs a value");
	expect_refused("flush=sometimes", "use close or lazy");
	expect_refused("compression=zstd", "use snappy or none");
}
END_TEST

/* The most that what is derived and what was given can take. */
static uint64_t
sum_of_parts(void)
{
	uint64_t cache = o.kv.cache_bytes, memtable = o.kv.memtable_bytes;
	uint64_t squeezed = cache / 4 + 3 * memtable;

	return memtable + (squeezed > cache ? squeezed : cache) +
	    o.fs.writeback_bytes + o.inode_bytes + o.fs.listing_bytes;
}

START_TEST(memory_is_divided_and_what_is_given_wins)
{
	ck_assert_int_eq(parse("memory=64M"), 0);
	ck_assert_uint_eq(o.memory_bytes, 64u << 20);
	ck_assert_uint_eq(o.kv.cache_bytes, 32u << 20);
	ck_assert_uint_eq(o.kv.memtable_bytes, 8u << 20);
	ck_assert_uint_eq(o.fs.writeback_bytes, 8u << 20);
	ck_assert_uint_eq(o.request_bytes, 256u << 10);
	ck_assert_int_eq(parse("memory=512M"), 0);
	ck_assert_uint_eq(o.kv.cache_bytes, 256u << 20);
	ck_assert_uint_eq(o.request_bytes, 1u << 20);
	/* Beyond a size only the cache gains. */
	ck_assert_int_eq(parse("memory=64G"), 0);
	ck_assert_uint_eq(o.kv.memtable_bytes, 64u << 20);
	ck_assert_uint_eq(o.fs.writeback_bytes, 64u << 20);
	ck_assert_uint_gt(o.kv.cache_bytes, 50ull << 30);
	ck_assert_int_eq(parse("cache=20M,memory=64M,writeback_size=2M"), 0);
	ck_assert_uint_eq(o.kv.cache_bytes, 20u << 20);
	ck_assert_uint_eq(o.fs.writeback_bytes, 2u << 20);
	ck_assert_uint_le(sum_of_parts(), 64u << 20);
	ck_assert_int_eq(parse("memory=64M,memtable=1M"), 0);
	ck_assert_uint_eq(o.kv.memtable_bytes, 1u << 20);
	ck_assert_uint_eq(o.kv.cache_bytes, 39u << 20);
	/* Without it, the whole follows from the parts. */
	ck_assert_int_eq(parse("cache=4G"), 0);
	ck_assert_uint_eq(o.kv.memtable_bytes, 64u << 20);
	ck_assert_uint_gt(o.memory_bytes, 4ull << 30);
	ck_assert_int_eq(parse("cache=4M,memtable=1M,writeback_size=1M"), 0);
	ck_assert_uint_le(o.memory_bytes, 10u << 20);
}
END_TEST

START_TEST(parts_larger_than_the_whole_are_one_clear_line)
{
	expect_refused("memory=64M,cache=64M",
	    "-o memory=64M: cache=64M: the parts are larger than the whole: "
	    "give memory=");
	expect_refused("memtable=64M,writeback_size=8M,memory=128M",
	    "memtable=64M,writeback_size=8M");
	expect_refused("memory=64M,writeback_size=64M", "or less of them");
	expect_refused("memory=15M", "from 16M to");
	/* What the line says to give is taken. */
	ck_assert_int_eq(parse("memory=64M,cache=64M"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(said, "give memory=87M at least"));
	ck_assert_int_eq(parse("memory=87M,cache=64M"), 0);
	ck_assert_int_eq(parse("memory=86M,cache=64M"), -EINVAL);
}
END_TEST

START_TEST(no_division_takes_more_than_the_whole)
{
	static const char *const caches[] = { "", ",cache=1M", ",cache=40M",
		",cache=1G" };
	static const char *const memtables[] = { "", ",memtable=64K",
		",memtable=7M", ",memtable=200M" };
	static const char *const writebacks[] = { "", ",writeback_size=1M",
		",writeback_size=33M" };
	unsigned taken = 0;
	char list[128];

	for (unsigned mib = 16; mib < 4096; mib += 1 + mib / 7) {
		for (unsigned i = 0; i < 48; i++) {
			snprintf(list, sizeof(list), "memory=%uM%s%s%s", mib,
			    caches[i % 4], memtables[i / 4 % 4],
			    writebacks[i / 16]);
			if (parse(list) < 0)
				continue;
			taken++;
			ck_assert_msg(sum_of_parts() <= o.memory_bytes,
			    "%s: the parts are %llu", list,
			    (unsigned long long)sum_of_parts());
			ck_assert_uint_eq(o.memory_bytes, (uint64_t)mib << 20);
		}
	}
	ck_assert_uint_gt(taken, 500);
}
END_TEST

START_TEST(what_is_printed_parses_to_the_same)
{
	char *first, *second;

	ck_assert_int_eq(parse("sync=hybrid:7:70,flush=lazy,cache=48M,ro,"
			       "writeback=123,wal_buffer=64K,noexec,"
			       "compression=none,relatime,threads=3"),
	    0);
	first = printed();
	options_init(&o);
	for (char *p = first; *p != '\0'; p++) {
		if (*p == '\n')
			*p = ',';
	}
	ck_assert_int_eq(options_parse_list(&o, first), 0);
	second = printed();
	for (char *p = second; *p != '\0'; p++) {
		if (*p == '\n')
			*p = ',';
	}
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
}
END_TEST

/* What --help says, to free(3). */
static char *
help(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	options_usage(f);
	fclose(f);
	return text;
}

/* A row that says nothing of its kind, its name or its bounds would be
 * found out by users alone. */
START_TEST(each_option_can_be_parsed_printed_and_explained)
{
	char value[OPTION_VALUE_MAX], line[OPTION_VALUE_MAX + 64];
	char *text = help();

	for (size_t i = 0; i < option_count; i++) {
		const struct option_spec *spec = &option_specs[i];

		options_init(&o);
		spec->type->format(&o, spec, value, sizeof(value));
		if (spec->arg == NULL)
			strlcpy(line, spec->name, sizeof(line));
		else
			snprintf(line, sizeof(line), "%s=%s", spec->name,
			    value[0] != '\0'           ? value :
				spec->standard != NULL ? spec->standard :
							 "x");
		ck_assert_msg(options_parse_list(&o, line) == 0, "%s: %s", line,
		    said);
		snprintf(line, sizeof(line), "  -o %s", spec->name);
		ck_assert_msg(strstr(text, line) != NULL, "%s", line);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(spec->name, option_specs[j].name);
	}
	free(text);
}
END_TEST

START_TEST(a_change_takes_live_options_only_and_all_or_none)
{
	ck_assert_int_eq(parse("sync=off,cache=32M"), 0);
	ck_assert_int_eq(options_change(&o, "sync=full\n"), 0);
	expect_sync("full");
	ck_assert_int_eq(options_change(&o, "flush=lazy writeback=50\n"), 0);
	ck_assert(!o.fs.flush_on_close);
	ck_assert_uint_eq(o.fs.writeback_ms, 50);
	ck_assert_int_eq(options_change(&o, "writeback=60,cache=64M"), -EINVAL);
	ck_assert_uint_eq(o.fs.writeback_ms, 50);
	ck_assert_uint_eq(o.kv.cache_bytes, 32u << 20);
	ck_assert_int_eq(options_change(&o, "ro"), -EINVAL);
	ck_assert_int_eq(options_change(&o, "x-comment"), -EINVAL);
	ck_assert_int_eq(options_change(&o, "sync="), -EINVAL);
	ck_assert_int_eq(options_change(&o, ""), 0);
	/* A new profile resets what was given before. */
	ck_assert_int_eq(options_change(&o, "profile=safe"), 0);
	expect_sync("full");
	ck_assert(o.fs.flush_on_close);
}
END_TEST

static unsigned syncs, max_sizes;

static int
take_sync(struct kv *kv, enum kv_sync_mode mode, uint32_t commits, uint32_t ms)
{
	(void)kv;
	(void)ms;
	syncs++;
	return mode == KV_SYNC_EVERY && commits == 7 ? 0 : -EINVAL;
}

static int
refuse_wal_buffer(struct kv *kv, uint64_t bytes)
{
	(void)kv;
	(void)bytes;
	return -EIO;
}

static int
take_max_size(struct kv *kv, uint64_t bytes)
{
	(void)kv;
	max_sizes++;
	return bytes == 1u << 30 ? 0 : -EINVAL;
}

START_TEST(the_store_takes_over_what_differs_until_it_refuses)
{
	const struct kv_control_ops control = { .set_sync = take_sync,
		.set_wal_buffer = refuse_wal_buffer,
		.set_max_size = take_max_size };
	const struct kv_ops ops = { .control = &control };
	struct kv kv = { .ops = &ops };
	struct options now, wanted;

	options_init(&now);
	wanted = now;
	ck_assert_int_eq(options_apply(&kv, &now, &wanted), 0);
	ck_assert_uint_eq(syncs + max_sizes, 0);
	ck_assert_int_eq(options_change(&wanted, "sync=every:7,max_size=1G"),
	    0);
	ck_assert_int_eq(options_apply(&kv, &now, &wanted), 0);
	ck_assert_uint_eq(syncs, 1);
	ck_assert_uint_eq(max_sizes, 1);
	ck_assert_int_eq(now.kv.sync, KV_SYNC_EVERY);
	ck_assert_uint_eq(now.kv.sync_commits, 7);
	ck_assert_uint_eq(now.kv.max_bytes, 1u << 30);
	/* What comes before the refusal is in force, the rest is not. */
	options_init(&now);
	wanted.kv.wal_buffer_bytes = 1u << 20;
	ck_assert_int_eq(options_apply(&kv, &now, &wanted), -EIO);
	ck_assert_int_eq(now.kv.sync, KV_SYNC_EVERY);
	ck_assert_uint_eq(now.kv.wal_buffer_bytes, 0);
	ck_assert_uint_eq(now.kv.max_bytes, 0);
}
END_TEST

static int
command_line(int argc, const char *const *argv)
{
	static char copy[16][32]; /* options borrow from it */
	char *args[17] = { NULL };

	options_init(&o);
	said[0] = '\0';
	for (int i = 0; i < argc; i++) {
		strlcpy(copy[i], argv[i], sizeof(copy[i]));
		args[i] = copy[i];
	}
	return options_parse(&o, argc, args);
}
#define COMMAND(...)                                                           \
	command_line(sizeof((const char *[]){ "kvfs", __VA_ARGS__ }) /         \
		sizeof(char *),                                                \
	    (const char *const[]){ "kvfs", __VA_ARGS__ })

START_TEST(one_operand_is_the_mountpoint_two_are_store_and_mountpoint)
{
	ck_assert_int_eq(COMMAND("/mnt"), 0);
	ck_assert_ptr_null(o.store);
	ck_assert_str_eq(o.mountpoint, "/mnt");
	ck_assert_int_eq(COMMAND("/store", "/mnt", "-f"), 0);
	ck_assert_str_eq(o.store, "/store");
	ck_assert_str_eq(o.mountpoint, "/mnt");
	ck_assert(o.foreground);
	ck_assert_int_eq(COMMAND("-o", "ro", "/mnt", "-o", "sync=off"), 0);
	ck_assert(o.read_only);
	expect_sync("off");
	ck_assert_int_eq(COMMAND("-oro", "--", "-odd"), 0);
	ck_assert_str_eq(o.mountpoint, "-odd");
	ck_assert_int_eq(COMMAND("-d", "/mnt"), 0);
	ck_assert(o.debug && o.foreground);
}
END_TEST

START_TEST(misuse_of_the_command_line_is_one_line)
{
	options_init(&o);
	ck_assert_int_eq(command_line(1, (const char *const[]){ "kvfs" }),
	    -EINVAL);
	ck_assert_ptr_nonnull(strstr(said, "no mountpoint"));
	ck_assert_int_eq(COMMAND("a", "b", "c"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(said, "c: one operand too many"));
	ck_assert_int_eq(COMMAND("-z", "a"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(said, "-z: unknown option"));
	ck_assert_int_eq(COMMAND("a", "-o"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(said, "-o: needs an argument"));
	ck_assert_int_eq(COMMAND(""), -EINVAL);
	ck_assert_int_eq(COMMAND("", "/mnt"), -EINVAL);
	/* Help asks for nothing else. */
	ck_assert_int_eq(COMMAND("--help"), 0);
	ck_assert(o.help);
	ck_assert_int_eq(COMMAND("-V", "a", "b", "c"), 0);
	ck_assert(o.version);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("options");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, sizes_take_suffixes_and_overflow_is_refused);
	tcase_add_test(tc, numbers_keep_their_bounds);
	tcase_add_test(tc, sync_modes_are_taken_in_every_spelling);
	tcase_add_test(tc, the_last_of_opposites_counts);
	tcase_add_test(tc,
	    a_profile_yields_to_what_is_given_wherever_it_stands);
	tcase_add_test(tc, the_default_is_the_balanced_profile);
	tcase_add_test(tc,
	    options_of_mount_are_accepted_and_unknown_ones_are_not);
	tcase_add_test(tc, what_is_printed_parses_to_the_same);
	tcase_add_test(tc, each_option_can_be_parsed_printed_and_explained);
	tcase_add_test(tc, a_change_takes_live_options_only_and_all_or_none);
	tcase_add_test(tc, the_store_takes_over_what_differs_until_it_refuses);
	tcase_add_test(tc,
	    one_operand_is_the_mountpoint_two_are_store_and_mountpoint);
	tcase_add_test(tc, misuse_of_the_command_line_is_one_line);
	tcase_add_test(tc, memory_is_divided_and_what_is_given_wins);
	tcase_add_test(tc, parts_larger_than_the_whole_are_one_clear_line);
	tcase_add_test(tc, no_division_takes_more_than_the_whole);
	return run_case("options", tc);
}
