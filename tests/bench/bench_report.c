/* SPDX-License-Identifier: ISC */
/* Tables of what was measured; see bench_report.h. */
#include "bench/bench_report.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_MAX 2048

struct series {
	const char *profile;
	char step[56];
	char unit[8];
	enum bench_metric metric;
	double values[REPORT_STORES_MAX][REPORT_ROUNDS_MAX];
	unsigned rounds[REPORT_STORES_MAX];
};

struct summary {
	double median, low, high;
	unsigned rounds; /* 0: this store has none */
};

/* What the metrics are called, in tables and in the file. */
static const char *const metric_names[METRICS] = {
	[METRIC_RATE] = "rate",
	[METRIC_FIGURE] = "figure",
	[METRIC_P50] = "p50",
	[METRIC_P99] = "p99",
	[METRIC_P999] = "p99.9",
	[METRIC_MAX] = "max",
	[METRIC_RSS] = "resident, peak",
	[METRIC_ANON] = "anonymous, end",
	[METRIC_WRITTEN] = "written",
};

static const struct section {
	const char *title;
	enum bench_metric first, last;
} sections[] = {
	{ "Operations per second", METRIC_RATE, METRIC_RATE },
	{ "Less is better", METRIC_FIGURE, METRIC_FIGURE },
	{ "Latency, microseconds; less is better", METRIC_P50, METRIC_MAX },
	{ "Memory of the process, MiB; less is better", METRIC_RSS,
	    METRIC_ANON },
	{ "Bytes handed to the disk during a step by bytes put; less is better",
	    METRIC_WRITTEN, METRIC_WRITTEN },
};

static struct series *all;
static size_t series_count;
static const char *const *store_names;
static size_t store_count;

void
report_start(const char *const *stores, size_t count)
{
	if (count > REPORT_STORES_MAX)
		bench_die("report", "too many stores");
	store_names = stores;
	store_count = count;
	all = calloc(SERIES_MAX, sizeof(*all));
	if (all == NULL)
		bench_die("report", "no memory");
}

static struct series *
find(const char *profile, const struct bench_record *rec)
{
	struct series *s = all;

	for (; s < all + series_count; s++)
		if (s->profile == profile && s->metric == rec->metric &&
		    strcmp(s->step, rec->step) == 0)
			return s;
	if (series_count == SERIES_MAX)
		bench_die(rec->step, "too many steps");
	series_count++;
	s->profile = profile;
	s->metric = rec->metric;
	strlcpy(s->step, rec->step, sizeof(s->step));
	strlcpy(s->unit, rec->unit, sizeof(s->unit));
	return s;
}

void
report_add(const char *profile, size_t store, const struct bench_record *rec)
{
	struct series *s = find(profile, rec);

	if (s->rounds[store] == REPORT_ROUNDS_MAX)
		bench_die(rec->step, "reported twice in a round");
	s->values[store][s->rounds[store]++] = rec->value;
}

static int
by_value(const void *va, const void *vb)
{
	const double *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

static struct summary
summarize(struct series *s, size_t store)
{
	double *v = s->values[store];
	unsigned n = s->rounds[store];

	if (n == 0)
		return (struct summary){ 0 };
	qsort(v, n, sizeof(*v), by_value);
	return (struct summary){
		.median = n % 2 != 0 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2,
		.low = v[0],
		.high = v[n - 1],
		.rounds = n,
	};
}

static bool
more_is_better(const struct series *s)
{
	return s->metric == METRIC_RATE;
}

static void
print_value(FILE *out, const struct summary *m)
{
	if (m->rounds == 0) {
		fprintf(out, " %16s", "-");
		return;
	}
	fprintf(out, " %10.*f", m->median < 100 ? 2 : 0, m->median);
	if (m->median > 0)
		fprintf(out, " ±%3.0f%%", 50 * (m->high - m->low) / m->median);
	else
		fprintf(out, "      ");
}

/* kvfs and the best of the others: above 1, kvfs is better. */
static void
print_ratio(FILE *out, const struct series *s, const struct summary *m)
{
	size_t best = 0;

	for (size_t i = 1; i < store_count; i++) {
		if (m[i].rounds == 0)
			continue;
		if (best == 0 ||
		    (m[i].median > m[best].median) == more_is_better(s))
			best = i;
	}
	if (best == 0 || m[0].rounds == 0)
		return;
	if (more_is_better(s) && m[best].median > 0)
		fprintf(out, "  %6.2f %s", m[0].median / m[best].median,
		    store_names[best]);
	else if (!more_is_better(s) && m[0].median > 0)
		fprintf(out, "  %6.2f %s", m[best].median / m[0].median,
		    store_names[best]);
}

static void
print_row(FILE *out, struct series *s)
{
	struct summary m[REPORT_STORES_MAX];
	char name[80];

	if (s->metric == METRIC_RATE || s->metric == METRIC_WRITTEN)
		snprintf(name, sizeof(name), "%s", s->step);
	else
		snprintf(name, sizeof(name), "%s: %s", s->step,
		    s->metric == METRIC_FIGURE ? s->unit :
						 metric_names[s->metric]);
	fprintf(out, "%-45s", name);
	for (size_t i = 0; i < store_count; i++) {
		m[i] = summarize(s, i);
		print_value(out, &m[i]);
	}
	print_ratio(out, s, m);
	fprintf(out, "\n");
}

static void
print_heading(FILE *out, const char *profile, const char *title)
{
	fprintf(out, "\n%s: %s\n\n%-45s", profile, title, "");
	for (size_t i = 0; i < store_count; i++)
		fprintf(out, " %16s", store_names[i]);
	fprintf(out, "   ratio, best peer\n");
}

static bool
is_in(const struct series *s, const char *profile, const struct section *sec)
{
	return s->profile == profile && s->metric >= sec->first &&
	    s->metric <= sec->last;
}

/* All that a section has of one step, in the order of the metrics: a step
 * that was too short for a percentile in one round had it in another. */
static void
print_step(FILE *out, const struct series *first, const struct section *sec)
{
	for (enum bench_metric m = sec->first; m <= sec->last; m++)
		for (size_t i = 0; i < series_count; i++)
			if (all[i].metric == m &&
			    all[i].profile == first->profile &&
			    strcmp(all[i].step, first->step) == 0)
				print_row(out, &all[i]);
}

static bool
is_printed(const struct series *s, const struct section *sec)
{
	for (const struct series *t = all; t < s; t++)
		if (is_in(t, s->profile, sec) && strcmp(t->step, s->step) == 0)
			return true;
	return false;
}

static void
print_section(FILE *out, const char *profile, const struct section *sec)
{
	bool has_heading = false;

	for (struct series *s = all; s < all + series_count; s++) {
		if (!is_in(s, profile, sec) || is_printed(s, sec))
			continue;
		if (!has_heading)
			print_heading(out, profile, sec->title);
		has_heading = true;
		print_step(out, s, sec);
	}
}

void
report_print(FILE *out, const char *profile, const char *durability)
{
	const struct section *end = sections +
	    sizeof(sections) / sizeof(sections[0]);

	fprintf(out, "\n==== %s: %s\n", profile, durability);
	for (const struct section *sec = sections; sec < end; sec++)
		print_section(out, profile, sec);
}

void
report_write_tsv(const char *path)
{
	FILE *f = fopen(path, "we");

	if (f == NULL)
		err(1, "%s", path);
	fputs("profile\tstep\tmetric\tunit\tbetter\tstore\tmedian\tlow\thigh\t"
	      "rounds\n",
	    f);
	for (struct series *s = all; s < all + series_count; s++)
		for (size_t i = 0; i < store_count; i++) {
			struct summary m = summarize(s, i);

			if (m.rounds == 0)
				continue;
			fprintf(f,
			    "%s\t%s\t%s\t%s\t%s\t%s\t%.6g\t%.6g\t%.6g\t%u\n",
			    s->profile, s->step, metric_names[s->metric],
			    s->unit, more_is_better(s) ? "more" : "less",
			    store_names[i], m.median, m.low, m.high, m.rounds);
		}
	if (fclose(f) != 0)
		err(1, "%s", path);
}
