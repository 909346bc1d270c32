/* SPDX-License-Identifier: ISC */
/*
 * A work in a process of its own: neither memory nor bytes written nor
 * threads of one store burden the next, and a store that fails cannot take
 * the others' figures with it.
 */
#ifndef KVFS_BENCH_CHILD_H
#define KVFS_BENCH_CHILD_H

#include "bench/bench_load.h"

/*
 * Run it and hand each record that it reports to add. job->report is set
 * here. False when the process failed (it has said why) or was ended by a
 * signal; what it reported before is handed over all the same.
 */
bool child_run(const struct bench_load *load, struct bench_job *job,
    void (*add)(void *arg, const struct bench_record *rec), void *arg);

#endif
