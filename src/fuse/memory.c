/* SPDX-License-Identifier: ISC */
/* Giving memory back; see memory.h. */
#include "fuse/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

/* So much that is resident and free is not worth a trim. */
#define KEEP_BYTES (16u << 20)

void
memory_init(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	(void)mallopt(M_ARENA_MAX, cpus > 2 ? (int)cpus : 2);
}

/* Resident memory that is no file's; 0 when nobody tells. */
static size_t
resident_bytes(void)
{
	unsigned long size, resident = 0, shared = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu %lu %lu", &size, &resident, &shared) != 3)
		resident = shared = 0;
	fclose(f);
	return (resident - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

void
memory_give_back(size_t *floorp)
{
	struct mallinfo2 info = mallinfo2();
	size_t have = resident_bytes();

	if (have < *floorp)
		*floorp = have;
	/* What a trim could not give back, the next cannot either. */
	if (have <= info.uordblks + info.hblkhd + KEEP_BYTES ||
	    have <= *floorp + KEEP_BYTES / 2)
		return;
	(void)malloc_trim(0);
	*floorp = resident_bytes();
}
