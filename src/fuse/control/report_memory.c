/* SPDX-License-Identifier: ISC */
/* See report_memory.h. */
#include "fuse/control/report_memory.h"

#include "fs/fs.h"
#include "fuse/control/control.h"
#include "fuse/lane/lane_socket.h"
#include "fuse/serve/loop.h"
#include "kvfs/kv.h"
#include "util/report.h"
#include "util/resident.h"

void
control_report_memory(struct control *c, struct report *r)
{
	uint64_t resident, private_bytes, budget, counted = 0;
	struct kv_memory kv = { 0 };
	struct fs_memory fs;

	mutex_lock(&c->mu);
	budget = c->opts.memory_bytes;
	mutex_unlock(&c->mu);
	resident = process_resident_bytes(&private_bytes);
	kv_memory(c->kv, &kv);
	fs_memory(c->fs, &fs);
	const struct {
		const char *title, *label;
		uint64_t bytes;
	} users[] = {
		{ "Memory of cached blocks", "user=\"blocks\"",
		    kv.block_bytes },
		{ "Memory of indexes and filters", "user=\"indexes\"",
		    kv.index_bytes },
		{ "Memory of memtables", "user=\"memtables\"",
		    kv.memtable_bytes },
		{ "Memory of flushes, compactions and commits", "user=\"work\"",
		    kv.work_bytes },
		{ "Memory of write-back", "user=\"writeback\"",
		    fs.writeback_bytes },
		{ "Memory of inodes", "user=\"inodes\"", fs.inode_bytes },
		{ "Memory of listings", "user=\"listings\"", fs.listing_bytes },
		{ "Memory of requests", "user=\"requests\"",
		    loop_buffer_bytes(c->loop) },
		{ "Memory of bulk work", "user=\"bulk\"",
		    lane_socket_bytes(c->conn->lane) },
	};
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		counted += users[i].bytes;
	report_gauge(r, "Memory budget", "memory_budget_bytes", budget);
	report_gauge(r, "Memory resident", "memory_resident_bytes", resident);
	report_gauge(r, "Memory counted", "memory_counted_bytes", counted);
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		report_gauge_of(r, users[i].title, "memory_bytes",
		    users[i].label, users[i].bytes);
}
