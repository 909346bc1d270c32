/* SPDX-License-Identifier: ISC */
/*
 * The engine beside its peers, in one run: every work is done by each store
 * in turn, the whole several times, and medians are compared, because
 * machines are noisy. Prints one line for each step: each store's rate, how
 * far its rounds lay apart, and kvfs's ratio to the best peer.
 */
#include <err.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/bench_work.h"

#define STEPS_MAX 64
#define ROUNDS_MAX 32

static const struct bench_ops *const all_stores[] = {
	&bench_kvfs,
	&bench_rocksdb,
	&bench_leveldb,
	&bench_lmdb,
};
#define STORES (sizeof(all_stores) / sizeof(all_stores[0]))

static struct step {
	char name[40];
	double rates[STORES][ROUNDS_MAX];
	unsigned rounds[STORES];
} steps[STEPS_MAX];
static size_t step_count;
static size_t current_store;

void
bench_die(const char *what, const char *reason)
{
	errx(1, "%s: %s", what, reason);
}

static void
record(const char *name, double rate)
{
	struct step *s;
	size_t i = 0;

	while (i < step_count && strcmp(steps[i].name, name) != 0)
		i++;
	if (i == STEPS_MAX)
		bench_die(name, "too many steps");
	s = &steps[i];
	if (i == step_count) {
		strlcpy(s->name, name, sizeof(s->name));
		step_count++;
	}
	s->rates[current_store][s->rounds[current_store]++] = rate;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int
by_value(const void *va, const void *vb)
{
	const double *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

/* The median of a store's rounds; *spreadp: largest less smallest, in
 * percent of it. */
static double
median(struct step *s, size_t store, double *spreadp)
{
	double *r = s->rates[store];
	unsigned n = s->rounds[store];
	double m;

	if (n == 0)
		return 0;
	qsort(r, n, sizeof(*r), by_value);
	m = n % 2 != 0 ? r[n / 2] : (r[n / 2 - 1] + r[n / 2]) / 2;
	*spreadp = m > 0 ? 100 * (r[n - 1] - r[0]) / m : 0;
	return m;
}

static void
print_rate(double rate, double spread)
{
	if (rate == 0)
		printf(" %16s", "-");
	else
		printf(" %10.0f +-%2.0f%%", rate, spread / 2);
}

static void
print_table(void)
{
	double m[STORES], best, spread = 0;
	size_t best_store;

	printf("\nOperations per second, median of the rounds and half their "
	       "spread;\nratio: kvfs to the best peer, above 1 is faster.\n\n"
	       "%-29s",
	    "");
	for (size_t i = 0; i < STORES; i++)
		printf(" %16s", all_stores[i]->name);
	printf("  ratio\n");
	for (size_t s = 0; s < step_count; s++) {
		printf("%-29s", steps[s].name);
		best = 0;
		best_store = 0;
		for (size_t i = 0; i < STORES; i++) {
			m[i] = median(&steps[s], i, &spread);
			print_rate(m[i], spread);
			if (i > 0 && m[i] > best) {
				best = m[i];
				best_store = i;
			}
		}
		if (m[0] > 0 && best > 0)
			printf("  %5.2f %s", m[0] / best,
			    all_stores[best_store]->name);
		printf("\n");
	}
}

/* Is name in the list "a,b,c"? An empty list has every name. */
static bool
listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; *p != '\0'; p++) {
		if (strncmp(p, name, len) == 0 &&
		    (p[len] == ',' || p[len] == '\0'))
			return true;
		p += strcspn(p, ",");
		if (*p == '\0')
			break;
	}
	return *list == '\0';
}

static void
usage(FILE *out)
{
	fputs("usage: bench_engine [-c CACHE_MB] [-d DIR] [-m MEMTABLE_MB] "
	      "[-n KEYS]\n"
	      "           [-r ROUNDS] [-s SYNC] [-S STORE,...] [-t SECONDS] "
	      "[-w WORK,...]\n"
	      "  -c  block cache of each store (16)\n"
	      "  -d  where the stores are made ($TMPDIR or /tmp)\n"
	      "  -m  memtable or write buffer (8)\n"
	      "  -n  keys of the small works (300000)\n"
	      "  -r  rounds (3)\n"
	      "  -s  off, interval (a sync a second) or full (interval)\n"
	      "  -S  stores: kvfs, rocksdb, leveldb, lmdb (all)\n"
	      "  -t  seconds of each durable step (0.5)\n"
	      "  -w  works, of these (all):\n",
	    out);
	for (size_t i = 0; i < bench_work_count; i++)
		fprintf(out, "        %-8s %s\n", bench_works[i].name,
		    bench_works[i].what);
}

static enum bench_sync
parse_sync(const char *text)
{
	if (strcmp(text, "off") == 0)
		return BENCH_SYNC_OFF;
	if (strcmp(text, "full") == 0)
		return BENCH_SYNC_FULL;
	if (strcmp(text, "interval") != 0)
		errx(2, "-s %s: off, interval or full", text);
	return BENCH_SYNC_INTERVAL;
}

static long long
parse_number(const char *text, long long max)
{
	const char *problem;
	long long n = strtonum(text, 1, max, &problem);

	if (problem != NULL)
		errx(2, "%s: %s", text, problem);
	return n;
}

static void
run_one(size_t store, const struct bench_work *work, const char *base,
    const struct bench_params *p)
{
	char dir[4200];

	snprintf(dir, sizeof(dir), "%s/store", base);
	if (mkdir(dir, 0700) < 0)
		err(1, "%s", dir);
	current_store = store;
	work->run(all_stores[store], dir, p, record);
	remove_tree(dir);
	/* What one store leaves to write must not burden the next. */
	sync();
}

int
main(int argc, char **argv)
{
	struct bench_params p = {
		.cfg = { BENCH_SYNC_INTERVAL, 16u << 20, 8u << 20 },
		.keys = 300000,
		.durable_seconds = 0.5,
		.seed = 1,
	};
	const char *works = "", *names = "", *dir = getenv("TMPDIR");
	unsigned rounds = 3;
	char base[4096];
	int o;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	while ((o = getopt(argc, argv, "c:d:m:n:r:s:S:t:w:")) != -1) {
		if (o == 'c')
			p.cfg.cache_bytes =
			    (uint64_t)parse_number(optarg, 1 << 20) << 20;
		else if (o == 'd')
			dir = optarg;
		else if (o == 'm')
			p.cfg.memtable_bytes =
			    (uint64_t)parse_number(optarg, 4096) << 20;
		else if (o == 'n')
			p.keys = (uint64_t)parse_number(optarg, 0xfffffff);
		else if (o == 'r')
			rounds = (unsigned)parse_number(optarg, ROUNDS_MAX);
		else if (o == 's')
			p.cfg.sync = parse_sync(optarg);
		else if (o == 'S')
			names = optarg;
		else if (o == 't')
			p.durable_seconds = atof(optarg);
		else if (o == 'w')
			works = optarg;
		else {
			usage(stderr);
			return 2;
		}
	}
	if (p.keys < 2000)
		errx(2, "-n: at least 2000");
	snprintf(base, sizeof(base), "%s/kvfs-bench.XXXXXX",
	    dir != NULL ? dir : "/tmp");
	if (mkdtemp(base) == NULL)
		err(1, "%s", base);
	printf("%llu keys, %llu MiB cache, %llu MiB memtable, %u rounds\n",
	    (unsigned long long)p.keys,
	    (unsigned long long)p.cfg.cache_bytes >> 20,
	    (unsigned long long)p.cfg.memtable_bytes >> 20, rounds);
	fflush(stdout);
	for (unsigned round = 0; round < rounds; round++) {
		p.seed = round + 1;
		for (size_t w = 0; w < bench_work_count; w++) {
			if (!listed(works, bench_works[w].name))
				continue;
			for (size_t s = 0; s < STORES; s++)
				if (listed(names, all_stores[s]->name))
					run_one(s, &bench_works[w], base, &p);
		}
	}
	remove_tree(base);
	print_table();
	return 0;
}
