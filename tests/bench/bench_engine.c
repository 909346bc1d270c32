/* SPDX-License-Identifier: ISC */
/*
 * The engine beside its peers, in one run: every work is done by each store
 * in turn, the whole several times, and medians are compared, because
 * machines are noisy. Here: what to run, and in which order.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench_child.h"
#include "bench/bench_proc.h"
#include "bench/bench_report.h"

static const struct bench_ops *const stores[] = {
	&bench_kvfs,
	&bench_rocksdb,
	&bench_rocksdb_blob,
	&bench_leveldb,
	&bench_lmdb,
};
#define STORES (sizeof(stores) / sizeof(stores[0]))

static const struct profile {
	const char *name;
	unsigned bit;
	enum bench_sync sync;
	const char *durability;
} profiles[] = {
	{ "throughput", PROFILE_THROUGHPUT, BENCH_SYNC_OFF,
	    "nobody syncs the log; a power cut may lose every put since the "
	    "last\nflush, and with LMDB the whole store" },
	{ "balanced", PROFILE_BALANCED, BENCH_SYNC_INTERVAL,
	    "the log is synced each second; a power cut loses a second of "
	    "puts at\nmost, but with LMDB it may lose the whole store" },
	{ "durable", PROFILE_DURABLE, BENCH_SYNC_FULL,
	    "every put is synced before it returns; a power cut loses none" },
};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

struct settings {
	const char *profiles, *works, *stores, *dir, *tsv;
	unsigned rounds;
};

struct place {
	const char *profile;
	size_t store;
};

static volatile sig_atomic_t interrupted;

void
bench_die(const char *what, const char *reason)
{
	errx(1, "%s: %s", what, reason);
}

static void
on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* Is name in the list "a,b,c"? */
static bool
listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; *p != '\0'; p += *p == ',') {
		if (strncmp(p, name, len) == 0 &&
		    (p[len] == ',' || p[len] == '\0'))
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

static bool
chosen(const char *list, const char *name)
{
	return *list == '\0' || listed(list, name);
}

static void
usage(FILE *out)
{
	fputs("usage: bench_engine [-c CACHE_MB] [-d DIR] [-l SECONDS] "
	      "[-m MEMTABLE_MB]\n"
	      "           [-n KEYS] [-N KEYS] [-o FILE] [-p PROFILE,...] "
	      "[-r ROUNDS]\n"
	      "           [-S STORE,...] [-t SECONDS] [-w WORK,...]\n"
	      "  -c  block cache of each store; read and large have their own "
	      "(16)\n"
	      "  -d  where the stores are made ($TMPDIR or /tmp)\n"
	      "  -l  seconds of the long load (5)\n"
	      "  -m  memtable or write buffer (8)\n"
	      "  -n  keys (200000)\n"
	      "  -N  keys of large and long (500000)\n"
	      "  -o  also write the medians there, with tabs between fields\n"
	      "  -p  profiles, of these (all):\n",
	    out);
	for (size_t i = 0; i < PROFILES; i++)
		fprintf(out, "        %s\n", profiles[i].name);
	fputs("  -r  rounds (3)\n"
	      "  -S  stores, of these (all):\n",
	    out);
	for (size_t i = 0; i < STORES; i++)
		fprintf(out, "        %s\n", stores[i]->name);
	fputs("  -t  seconds of each step that is not counted in keys (0.5)\n"
	      "  -w  works, of these (those that differ by profile in each, "
	      "the others in\n"
	      "      balanced; the works that are named in each):\n",
	    out);
	for (size_t i = 0; i < bench_load_count; i++)
		fprintf(out, "        %-8s %s\n", bench_loads[i].name,
		    bench_loads[i].what);
}

static long long
parse_number(const char *text, long long min, long long max)
{
	const char *problem;
	long long n = strtonum(text, min, max, &problem);

	if (problem != NULL)
		errx(2, "%s: %s, from %lld to %lld", text, problem, min, max);
	return n;
}

static double
parse_seconds(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (*end != '\0' || !(s >= 0.01 && s <= 86400))
		errx(2, "%s: seconds, from 0.01 to 86400", text);
	return s;
}

/* Every name of a list is one that we know. */
static const char *
parse_list(const char *list, bool (*is_known)(const char *name))
{
	char *copy = strdup(list), *rest = copy, *name;

	if (copy == NULL)
		err(1, "%s", list);
	while ((name = strsep(&rest, ",")) != NULL)
		if (!is_known(name))
			errx(2, "%s: no such name; see --help", name);
	free(copy);
	return list;
}

static bool
is_store(const char *name)
{
	for (size_t i = 0; i < STORES; i++)
		if (strcmp(stores[i]->name, name) == 0)
			return true;
	return false;
}

static bool
is_profile(const char *name)
{
	for (size_t i = 0; i < PROFILES; i++)
		if (strcmp(profiles[i].name, name) == 0)
			return true;
	return false;
}

static bool
is_work(const char *name)
{
	for (size_t i = 0; i < bench_load_count; i++)
		if (strcmp(bench_loads[i].name, name) == 0)
			return true;
	return false;
}

static void
parse_options(int argc, char **argv, struct settings *s, struct bench_job *job)
{
	int o;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		exit(0);
	}
	while ((o = getopt(argc, argv, "c:d:l:m:n:N:o:p:r:S:t:w:")) != -1) {
		if (o == 'c')
			job->cfg.cache_bytes =
			    (uint64_t)parse_number(optarg, 1, 1 << 20) << 20;
		else if (o == 'd')
			s->dir = optarg;
		else if (o == 'l')
			job->long_seconds = parse_seconds(optarg);
		else if (o == 'm')
			job->cfg.memtable_bytes =
			    (uint64_t)parse_number(optarg, 1, 4096) << 20;
		else if (o == 'n')
			job->keys = (uint64_t)parse_number(optarg, 2000,
			    0x7ffffff);
		else if (o == 'N')
			job->large_keys = (uint64_t)parse_number(optarg, 2000,
			    0xfffffff);
		else if (o == 'o')
			s->tsv = optarg;
		else if (o == 'p')
			s->profiles = parse_list(optarg, is_profile);
		else if (o == 'r')
			s->rounds = (unsigned)parse_number(optarg, 1,
			    REPORT_ROUNDS_MAX);
		else if (o == 'S')
			s->stores = parse_list(optarg, is_store);
		else if (o == 't')
			job->timed_seconds = parse_seconds(optarg);
		else if (o == 'w')
			s->works = parse_list(optarg, is_work);
		else {
			usage(stderr);
			exit(2);
		}
	}
	if (optind != argc) {
		usage(stderr);
		exit(2);
	}
}

static void
add_record(void *arg, const struct bench_record *rec)
{
	const struct place *p = arg;

	report_add(p->profile, p->store, rec);
}

/* One work on one store; false when it failed. */
static bool
run_one(const struct profile *profile, const struct bench_load *load,
    size_t store, const char *base, struct bench_job *job)
{
	struct place place = { profile->name, store };
	char dir[4200];
	bool ok;

	snprintf(dir, sizeof(dir), "%s/work", base);
	if (mkdir(dir, 0700) < 0)
		err(1, "%s", dir);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[Kround %llu, %s: %s: %s",
		    (unsigned long long)job->seed, profile->name, load->name,
		    stores[store]->name);
	job->ops = stores[store];
	job->dir = dir;
	job->cfg.sync = profile->sync;
	ok = child_run(load, job, add_record, &place);
	dir_remove(dir);
	/* What one store leaves to write must not burden the next. */
	sync();
	if (!ok)
		warnx("%s: %s: %s failed", profile->name, load->name,
		    stores[store]->name);
	return ok;
}

static bool
is_wanted(const struct settings *s, const struct profile *profile,
    const struct bench_load *load, size_t store)
{
	if (!chosen(s->profiles, profile->name) ||
	    !chosen(s->works, load->name) ||
	    !chosen(s->stores, stores[store]->name))
		return false;
	if (*s->works == '\0' && (load->profiles & profile->bit) == 0)
		return false;
	return !stores[store]->is_for_large_values || load->large_values;
}

/* Another store is the first in each round: whatever being first does to it
 * is done to all. */
static bool
run_round(const struct settings *s, unsigned round, const char *base,
    struct bench_job *job)
{
	job->seed = round + 1;
	for (size_t p = 0; p < PROFILES; p++)
		for (size_t l = 0; l < bench_load_count; l++)
			for (size_t i = 0; i < STORES; i++) {
				size_t store = (i + round) % STORES;

				if (!is_wanted(s, &profiles[p], &bench_loads[l],
					store))
					continue;
				if (interrupted ||
				    !run_one(&profiles[p], &bench_loads[l],
					store, base, job))
					return false;
			}
	return true;
}

int
main(int argc, char **argv)
{
	struct bench_job job = {
		.cfg = { .cache_bytes = 16u << 20, .memtable_bytes = 8u << 20 },
		.keys = 200000,
		.large_keys = 500000,
		.timed_seconds = 0.5,
		.long_seconds = 5,
	};
	struct settings s = { .profiles = "",
		.works = "",
		.stores = "",
		.dir = getenv("TMPDIR"),
		.rounds = 3 };
	const char *names[STORES];
	char base[4096], *given;
	bool ok = true;

	parse_options(argc, argv, &s, &job);
	for (size_t i = 0; i < STORES; i++)
		names[i] = stores[i]->name;
	report_start(names, STORES);
	if (s.dir == NULL)
		s.dir = "/tmp";
	given = realpath(s.dir, NULL);
	if (given == NULL)
		err(1, "%s", s.dir);
	snprintf(base, sizeof(base), "%s/kvfs-bench.XXXXXX", given);
	free(given);
	if (mkdtemp(base) == NULL)
		err(1, "%s", base);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	printf("%llu keys of 16 bytes, values of 100 that compress to half; "
	       "%llu keys in\nthe works large and long; %llu MiB cache, %llu "
	       "MiB memtable; %u rounds\n",
	    (unsigned long long)job.keys, (unsigned long long)job.large_keys,
	    (unsigned long long)job.cfg.cache_bytes >> 20,
	    (unsigned long long)job.cfg.memtable_bytes >> 20, s.rounds);
	for (unsigned round = 0; ok && round < s.rounds; round++)
		ok = run_round(&s, round, base, &job);
	dir_remove(base);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (!ok)
		return 1;
	printf("Medians of the rounds, and half of how far they lay apart. "
	       "Ratio: kvfs to the\nbest of the others, above 1 kvfs is "
	       "better.\n");
	for (size_t p = 0; p < PROFILES; p++)
		if (chosen(s.profiles, profiles[p].name))
			report_print(stdout, profiles[p].name,
			    profiles[p].durability);
	if (s.tsv != NULL)
		report_write_tsv(s.tsv);
	return 0;
}
