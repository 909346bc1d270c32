/* SPDX-License-Identifier: ISC */
/* Opening stores and running steps; see bench_run.h. */
#include "bench/bench_run.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "bench/bench_proc.h"
#include "util/clock.h"

#define THREADS_MAX 33
#define TIME_ONE_OF 17 /* a prime: no work has such a period */
#define SETTLE_SECONDS_MAX 300
#define SETTLE_LOOKS 10
#define REST_LOOKS 70

static void *
sync_each_second(void *arg)
{
	struct run *r = arg;
	uint64_t deadline;

	mutex_lock(&r->mu);
	while (!r->stop) {
		deadline = clock_now_ns() + 1000000000u;
		while (!r->stop && cond_wait_until(&r->wake, &r->mu, deadline))
			;
		mutex_unlock(&r->mu);
		r->ops->sync(r->store);
		mutex_lock(&r->mu);
	}
	mutex_unlock(&r->mu);
	return NULL;
}

void
run_open(struct run *r, const struct bench_job *job, const char *name,
    uint64_t keys, size_t value_bytes, const struct bench_config *cfg)
{
	*r = (struct run){ .job = job, .ops = job->ops };
	snprintf(r->dir, sizeof(r->dir), "%s/%s", job->dir, name);
	if (mkdir(r->dir, 0700) < 0 && errno != EEXIST)
		err(1, "%s", r->dir);
	r->keys = keys;
	r->value_bytes = value_bytes;
	r->pool = bench_make_pool();
	r->store = r->ops->open(r->dir, cfg);
	mutex_init(&r->mu);
	cond_init(&r->wake);
	if (cfg->sync != BENCH_SYNC_INTERVAL || r->ops->has_interval)
		return;
	if (pthread_create(&r->syncer, NULL, sync_each_second, r) != 0)
		bench_die("pthread_create", "failed");
	r->has_syncer = true;
}

static void
stop_syncer(struct run *r)
{
	mutex_lock(&r->mu);
	r->stop = true;
	cond_broadcast(&r->wake);
	mutex_unlock(&r->mu);
	if (r->has_syncer)
		pthread_join(r->syncer, NULL);
	r->has_syncer = false;
}

void
run_close(struct run *r)
{
	stop_syncer(r);
	r->ops->close(r->store);
	cond_fini(&r->wake);
	mutex_fini(&r->mu);
	free(r->pool);
}

double
run_write_seconds(const struct run *r)
{
	return r->job->cfg.sync == BENCH_SYNC_FULL ? r->job->timed_seconds : 0;
}

/* ---- Reporting ---- */

static void
report(struct run *r, const char *step, enum bench_metric metric,
    const char *unit, double value)
{
	struct bench_record rec = { .metric = metric, .value = value };

	strlcpy(rec.step, step, sizeof(rec.step));
	strlcpy(rec.unit, unit, sizeof(rec.unit));
	r->job->report(&rec);
}

void
run_figure(struct run *r, const char *name, const char *unit, double value)
{
	report(r, name, METRIC_FIGURE, unit, value);
}

void
run_memory(struct run *r, const char *step)
{
	report(r, step, METRIC_RSS, "MiB",
	    (double)proc_peak_rss_bytes() / (1 << 20));
	report(r, step, METRIC_ANON, "MiB",
	    (double)proc_anon_bytes() / (1 << 20));
}

static void
report_latency(struct run *r, const char *step, const struct latency *l)
{
	static const struct {
		enum bench_metric metric;
		double part;
	} parts[] = {
		{ METRIC_P50, 0.5 },
		{ METRIC_P99, 0.99 },
		{ METRIC_P999, 0.999 },
	};

	/* The 99.9th percentile of a few hundred is only their largest. */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if ((double)l->count * (1 - parts[i].part) >= 1)
			report(r, step, parts[i].metric, "us",
			    (double)latency_percentile(l, parts[i].part) / 1e3);
	report(r, step, METRIC_MAX, "us", (double)l->max / 1e3);
}

/* ---- Steps ---- */

static void
do_between(struct worker *w)
{
	uint64_t start = clock_now_ns();

	w->step->between(w->r);
	w->between_ns += clock_now_ns() - start;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	const struct step *s = w->step;
	uint64_t i = w->first, start;

	for (; s->count == 0 || w->stop != NULL || i < s->count;
	     i += w->stride, w->done++) {
		if (s->between != NULL && w->done % s->between_every == 0)
			do_between(w);
		if (!s->time_all && w->done % TIME_ONE_OF != 0) {
			w->op(w->r, w, i);
			continue;
		}
		start = clock_now_ns();
		if (w->deadline_ns != 0 && start >= w->deadline_ns)
			break;
		if (w->stop != NULL &&
		    atomic_load_explicit(w->stop, memory_order_relaxed))
			break;
		w->op(w->r, w, i);
		latency_add(&w->latency, clock_now_ns() - start);
	}
	return NULL;
}

static struct worker *
make_workers(struct run *r, const struct step *s, unsigned threads,
    unsigned extra)
{
	struct worker *w = calloc(threads + extra, sizeof(*w));

	if (w == NULL)
		bench_die(s->name, "no memory");
	for (unsigned t = 0; t < threads + extra; t++) {
		w[t].r = r;
		w[t].step = s;
		w[t].op = t < threads ? s->op : s->beside;
		w[t].first = t < threads ? t : 0;
		w[t].stride = t < threads ? threads : 1;
		w[t].rng = r->job->seed * 1000 + t;
		w[t].value = malloc(r->value_bytes + sizeof(uint64_t));
		if (w[t].value == NULL)
			bench_die(s->name, "no memory");
	}
	return w;
}

static void
free_workers(struct worker *w, unsigned count)
{
	for (unsigned t = 0; t < count; t++)
		free(w[t].value);
	free(w);
}

static void
start_worker(struct worker *w)
{
	if (pthread_create(&w->thread, NULL, work, w) != 0)
		bench_die("pthread_create", "failed");
}

/* Do count operations of s, with another order of keys than measured ones
 * have: the same would find all in place. */
static void
do_quietly(struct run *r, const struct step *s, uint64_t count)
{
	struct worker *w = make_workers(r, s, 1, 0);

	w->rng += 500;
	for (uint64_t i = 0; i < count; i++)
		s->op(r, w, i);
	free_workers(w, 1);
}

void
run_quietly(struct run *r, const struct step *s)
{
	do_quietly(r, s, s->count);
}

/* Rate and latencies of workers that did the same, for so long. */
static void
report_workers(struct run *r, const char *name, struct worker *w,
    unsigned count, uint64_t per, uint64_t ns)
{
	uint64_t done = w[0].done;

	for (unsigned t = 1; t < count; t++) {
		latency_merge(&w[0].latency, &w[t].latency);
		done += w[t].done;
	}
	report(r, name, METRIC_RATE, "1/s",
	    (double)(done * per) * 1e9 / (double)ns);
	report_latency(r, name, &w[0].latency);
}

static uint64_t
done_by(const struct worker *w, unsigned count)
{
	uint64_t done = 0;

	for (unsigned t = 0; t < count; t++)
		done += w[t].done;
	return done;
}

uint64_t
run_step(struct run *r, const struct step *s)
{
	unsigned threads = s->threads != 0 ? s->threads : 1;
	unsigned extra = s->beside != NULL ? 1 : 0;
	uint64_t per = s->per != 0 ? s->per : 1, start, ns, written, put;
	atomic_bool stop = false;
	struct worker *w;

	if (threads + extra > THREADS_MAX)
		bench_die(s->name, "too many threads");
	do_quietly(r, s, s->warm);
	w = make_workers(r, s, threads, extra);
	if (extra != 0)
		w[threads].stop = &stop;
	proc_reset_peak();
	written = proc_written_bytes();
	start = clock_now_ns();
	for (unsigned t = 0; t < threads; t++)
		w[t].deadline_ns = s->seconds > 0 ?
		    start + (uint64_t)(s->seconds * 1e9) :
		    0;
	for (unsigned t = 1; t < threads + extra; t++)
		start_worker(&w[t]);
	work(&w[0]);
	for (unsigned t = 1; t < threads; t++)
		pthread_join(w[t].thread, NULL);
	atomic_store_explicit(&stop, true, memory_order_relaxed);
	if (extra != 0)
		pthread_join(w[threads].thread, NULL);
	ns = clock_now_ns() - start - w[0].between_ns;
	put = done_by(w, threads) * per * (BENCH_KEY_LEN + r->value_bytes);
	written = proc_written_bytes() - written;
	report_workers(r, s->name, w, threads, per, ns);
	if (extra != 0)
		report_workers(r, s->beside_name, &w[threads], 1, 1, ns);
	run_memory(r, s->name);
	if (s->writes && put != 0)
		report(r, s->name, METRIC_WRITTEN, "x",
		    (double)written / (double)put);
	free_workers(w, threads + extra);
	return put;
}

void
run_load(struct run *r)
{
	run_quietly(r,
	    &(struct step){ .name = "load",
		.op = op_batch,
		.count = (r->keys + BATCH_KEYS - 1) / BATCH_KEYS });
}

/* Until there was neither processor time nor a write for so many looks. */
static void
await_quiet(struct run *r, unsigned looks)
{
	const struct timespec look = { .tv_nsec = 50000000 };
	uint64_t end = clock_now_ns() + SETTLE_SECONDS_MAX * 1000000000ull;
	uint64_t cpu = proc_cpu_ns(), written = proc_written_bytes();
	unsigned quiet = 0;

	while (quiet < looks) {
		uint64_t cpu_now, written_now;

		nanosleep(&look, NULL);
		cpu_now = proc_cpu_ns();
		written_now = proc_written_bytes();
		quiet = cpu_now - cpu < 1000000 && written_now == written ?
		    quiet + 1 :
		    0;
		cpu = cpu_now;
		written = written_now;
		if (clock_now_ns() > end) {
			warnx("%s: still busy after %d seconds", r->ops->name,
			    SETTLE_SECONDS_MAX);
			return;
		}
	}
}

/* Merging takes processor time or writes; without either for half a second
 * it is done. The same for every store, whatever it can tell of itself. */
void
run_settle(struct run *r)
{
	await_quiet(r, SETTLE_LOOKS);
}

/* And what a store does when it has had nothing to do for some seconds, as a
 * sync each second would be. */
void
run_rest(struct run *r)
{
	stop_syncer(r);
	await_quiet(r, REST_LOOKS);
}
