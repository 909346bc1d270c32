/* SPDX-License-Identifier: ISC */
/*
 * Arbitrary bytes as a manifest, applied as recovery does. The first byte
 * chooses: the rest is the whole file; or it is payloads, in records whose
 * sums are right, so that what stands behind the sums is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/tree/manifest.h"
#include "engine/tree/version.h"
#include "support/env_mem.h"
#include "support/fuzz.h"
#include "engine/env/store_files.h"
#include "support/env_path.h"
#include "util/coding.h"
#include "util/crc32c.h"

#define NUMBER 7
#define HEADER_LEN 32
#define RECORD_HEADER_LEN 16

static void
forge_manifest(struct env_file *f, const uint8_t *data, size_t size)
{
	uint8_t h[HEADER_LEN] = "kvfsMAN1";
	uint64_t off = HEADER_LEN;
	uint32_t chain;

	put_le32(h + 8, MANIFEST_VERSION);
	put_le64(h + 16, NUMBER);
	chain = crc32c_sum(0, h, 28);
	put_le32(h + 28, chain);
	fuzz_write(f, h, sizeof(h), 0);
	while (size > 0) {
		size_t len = data[0] < size - 1 ? data[0] : size - 1;
		uint8_t r[RECORD_HEADER_LEN] = "MREC";

		put_le32(r + 4, (uint32_t)len);
		put_le32(r + 8, chain);
		chain = crc32c_sum(crc32c_sum(0, r + 4, 8), data + 1, len);
		put_le32(r + 12, chain);
		fuzz_write(f, r, sizeof(r), off);
		fuzz_write(f, data + 1, len, off + sizeof(r));
		off += sizeof(r) + len;
		data += 1 + len;
		size -= 1 + len;
	}
}

static void
drop_table(void *arg, struct table_file *f)
{
	(void)arg;
	table_file_free(f);
}

static int
apply(void *arg, struct version_edit *e)
{
	struct version **vp = arg, *next;
	int rc = version_apply(*vp, e, &next);

	if (rc < 0)
		return rc;
	version_unref(*vp);
	*vp = next;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct version *v = version_create(drop_table, NULL);
	struct env *env = env_mem_create(1);
	struct env_dir *dir = env_path_dir(env, "/");
	struct env_file *f;

	if (v == NULL ||
	    store_file_open(dir, FILE_MANIFEST, NUMBER, ENV_WRITE | ENV_CREATE,
		&f) < 0)
		abort();
	fuzz_quiet();
	if (size > 0 && (data[0] & 1))
		forge_manifest(f, data + 1, size - 1);
	else if (size > 0)
		fuzz_write(f, data + 1, size - 1, 0);
	env_close(f);
	(void)manifest_read(dir, NUMBER, apply, &v);
	version_unref(v);
	env_dir_close(dir);
	env_mem_destroy(env);
	return 0;
}
