/* SPDX-License-Identifier: ISC */
/* See resident.h. */
#include "util/resident.h"

#include <stdio.h>
#include <unistd.h>

uint64_t
process_resident_bytes(uint64_t *privatep)
{
	unsigned long size, resident = 0, shared = 0;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *f = fopen("/proc/self/statm", "re");

	*privatep = 0;
	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu %lu %lu", &size, &resident, &shared) != 3)
		resident = shared = 0;
	fclose(f);
	*privatep = (resident - shared) * page;
	return resident * page;
}
