/* SPDX-License-Identifier: ISC */
/* See report.h. */
#include "util/report.h"

#include <stdarg.h>
#include <string.h>

/* Upper bounds of Prometheus buckets, as powers of two: 1 us to 17 s, and 1 to
 * 1024. */
#define TIME_FIRST 10u
#define TIME_LAST 34u
#define SIZE_LAST 10u

void
report_init(struct report *r, FILE *out, enum report_format format)
{
	*r = (struct report){ .out = out, .format = format };
}

void
report_text(struct report *r, const char *title, const char *fmt, ...)
{
	va_list ap;

	if (r->format != REPORT_TEXT)
		return;
	fprintf(r->out, "%s: ", title);
	va_start(ap, fmt);
	vfprintf(r->out, fmt, ap);
	va_end(ap);
	fputc('\n', r->out);
}

/* Print the lines that precede the first figure of a name. */
static void
begin_family(struct report *r, const char *title, const char *name,
    const char *suffix, const char *type)
{
	if (r->family != NULL && strcmp(r->family, name) == 0)
		return;
	r->family = name;
	fprintf(r->out, "# HELP kvfs_%s%s %s.\n# TYPE kvfs_%s%s %s\n", name,
	    suffix, title, name, suffix, type);
}

/* Print an integer. label may be NULL. */
static void
print_number(struct report *r, const char *title, const char *name,
    const char *suffix, const char *type, const char *label, uint64_t v)
{
	const char *open = label != NULL ? "{" : "";
	const char *close = label != NULL ? "}" : "";

	report_text(r, title, "%llu", (unsigned long long)v);
	if (r->format != REPORT_METRICS)
		return;
	begin_family(r, title, name, suffix, type);
	fprintf(r->out, "kvfs_%s%s%s%s%s %llu\n", name, suffix, open,
	    label != NULL ? label : "", close, (unsigned long long)v);
}

void
report_counter(struct report *r, const char *title, const char *name,
    uint64_t v)
{
	print_number(r, title, name, "_total", "counter", NULL, v);
}

void
report_counters(struct report *r, const struct report_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		report_counter(r, rows[i].title, rows[i].name,
		    counter_read(rows[i].counter));
}

void
report_gauge(struct report *r, const char *title, const char *name, uint64_t v)
{
	print_number(r, title, name, "", "gauge", NULL, v);
}

void
report_gauge_of(struct report *r, const char *title, const char *name,
    const char *label, uint64_t v)
{
	print_number(r, title, name, "", "gauge", label, v);
}

void
report_counter_of(struct report *r, const char *title, const char *name,
    const char *label, uint64_t v)
{
	print_number(r, title, name, "_total", "counter", label, v);
}

void
report_ratio(struct report *r, const char *title, const char *name, double v)
{
	report_text(r, title, "%.2f", v);
	if (r->format != REPORT_METRICS)
		return;
	begin_family(r, title, name, "", "gauge");
	fprintf(r->out, "kvfs_%s %.4f\n", name, v);
}

static void
report_percentiles(struct report *r, const char *title, const char *unit,
    const struct histogram *h, uint64_t scale)
{
	static const struct {
		const char *name;
		double part;
	} lines[] = {
		{ "p50", 0.5 },
		{ "p99", 0.99 },
		{ "p99.9", 0.999 },
		{ "max", 1 },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(r->out, "%s %s%s: %llu\n", title, unit, lines[i].name,
		    (unsigned long long)(histogram_percentile(h,
					     lines[i].part) /
			scale));
}

/* Print the buckets for each power of two from first to last, the sum, and the
 * count. The count is that of the last bucket, since values may be added
 * meanwhile. */
static void
report_buckets(struct report *r, const char *name, const char *label,
    const struct histogram *h, unsigned first, unsigned last, double scale)
{
	const char *sep = label != NULL ? "," : "";
	const char *open = label != NULL ? "{" : "";
	const char *close = label != NULL ? "}" : "";
	unsigned long long count = 0, all = histogram_count(h);

	if (label == NULL)
		label = "";
	for (unsigned p = first; p <= last; p++) {
		count = histogram_count_below(h, p);
		fprintf(r->out, "kvfs_%s_bucket{%s%sle=\"%.9g\"} %llu\n", name,
		    label, sep, (double)(1ull << p) * scale, count);
	}
	if (all < count)
		all = count;
	fprintf(r->out, "kvfs_%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, label,
	    sep, all);
	fprintf(r->out, "kvfs_%s_sum%s%s%s %.9g\n", name, open, label, close,
	    (double)histogram_sum(h) * scale);
	fprintf(r->out, "kvfs_%s_count%s%s%s %llu\n", name, open, label, close,
	    all);
}

void
report_times(struct report *r, const char *title, const char *name,
    const char *label, const struct histogram *h)
{
	char full[80];

	if (r->format == REPORT_TEXT) {
		if (histogram_count(h) != 0)
			report_percentiles(r, title, "microseconds ", h, 1000);
		return;
	}
	snprintf(full, sizeof(full), "%s_seconds", name);
	begin_family(r, title, name, "_seconds", "histogram");
	report_buckets(r, full, label, h, TIME_FIRST, TIME_LAST, 1e-9);
}

void
report_sizes(struct report *r, const char *title, const char *name,
    const struct histogram *h)
{
	if (r->format == REPORT_TEXT) {
		if (histogram_count(h) != 0)
			report_percentiles(r, title, "", h, 1);
		return;
	}
	begin_family(r, title, name, "", "histogram");
	report_buckets(r, name, NULL, h, 0, SIZE_LAST, 1);
}
