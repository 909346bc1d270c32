/* SPDX-License-Identifier: ISC */
/* Requests to the background threads. */
#include "engine/state/work_signal.h"

#include "engine/state/db_state.h"

void
db_want_tidy(struct db *db)
{
	if (atomic_exchange_explicit(&db->work.tidy.is_wanted, true,
		memory_order_seq_cst))
		return;
	mutex_lock(&db->mu);
	cond_broadcast(&db->work.wanted);
	mutex_unlock(&db->mu);
}
