/* SPDX-License-Identifier: ISC */
/*
 * An env that passes calls on to another one, and makes some fail: the n-th
 * call of chosen kinds, alone or all from then on. A failing call does nothing,
 * except that a write may write its first half. Any thread.
 */
#ifndef KVFS_SUPPORT_ENV_FAULT_H
#define KVFS_SUPPORT_ENV_FAULT_H

#include "engine/env/env.h"
#include "support/env_call.h"

struct env_fault_rule {
	unsigned calls; /* ENV_CALL_BIT()s; 0: all that can fail */
	uint64_t nth; /* from 1, counted since env_fault_arm() */
	int error; /* errno */
	bool lasts; /* fail every such call from the n-th on */
	bool writes_half; /* a failing write writes half of its bytes */
};

/* Borrows below, which must outlive it. */
struct env *env_fault_create(struct env *below);
/* All its files must be closed. NULL is accepted. */
void env_fault_destroy(struct env *env);

/* Set the rule, in place of the one before. */
void env_fault_arm(struct env *env, const struct env_fault_rule *rule);
void env_fault_disarm(struct env *env);
/* How many calls the rule has matched, or the last rule, if it is disarmed. */
uint64_t env_fault_matched(struct env *env);
/* Calls that were made to fail since env_fault_arm(). */
uint64_t env_fault_failed(struct env *env);
/* Calls of these kinds since the env was made. */
uint64_t env_fault_calls(struct env *env, unsigned calls);

#endif
