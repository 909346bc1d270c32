# kvfs: a key-value store that you mount.
#
# Targets: make help lists them.
# Variables:
#   CC=clang            another compiler (its objects have their own place)
#   SAN=address,undefined | SAN=thread
#                       a sanitizer build, under build/$(SAN)
#   DEBUG=1             no optimisation
#   CHECKS=1            who holds which mutex, and the invariants of parts, are
#                       checked at run time (src/util/invariant.h); SAN= and
#                       DEBUG=1 do so too
#   MNT= STORE=         where make run mounts, and the store that it uses
#   DESTDIR= PREFIX=    where make install puts things
#   JOBS=               tests at a time
#   COMPLETE=1          a test that is skipped counts as failed
#   FUZZ_SECONDS=       how long make fuzz runs each target
#   BENCH_FLAGS=        for tests/bench/bench_engine, see its --help
#   BENCH_SVG=          where make bench draws the engine's figures
#   NODEPS=1            install no package, and do not look

comma := ,
empty :=
space := $(empty) $(empty)
override BUILD := build$(if $(SAN),/$(subst $(comma),-,$(SAN)))$(if \
	$(findstring clang,$(CC)),/clang)$(if $(DEBUG),/debug)$(if $(CHECKS),/checks)

MNT ?= $(CURDIR)/mnt
STORE ?= $(CURDIR)/store
VERSION := 0.1.0
PREFIX ?= /usr/local
# mount(8) looks for its helpers in /sbin alone.
SBINDIR ?= /sbin
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 20
BENCH_SVG ?= tests/bench/bench.svg

# Every dependency, stated once: pkg-config names and Debian packages.
PKGS := fuse3 libbsd-overlay libxxhash
DEB_BUILD := gcc make libc6-dev pkg-config libfuse3-dev fuse3 libsnappy-dev \
	libbsd-dev libxxhash-dev libarchive-dev
DEB_CHECK := check libsubunit-dev attr acl rsync git sqlite3 procps mandoc \
	util-linux mount strace e2fsprogs xfsprogs btrfs-progs
DEB_LINT := clang clang-19 clang-format clang-tidy cppcheck shellcheck mandoc
DEB_BENCH := librocksdb-dev libleveldb-dev liblmdb-dev gnuplot-nox bindfs \
	e2fsprogs mount util-linux

# gcc 12 crashes in these two checks without optimisation.
DEBUG_CFLAGS := -O0 -Wno-format-truncation -Wno-format-overflow

# pkg-config may have to be installed first, so it is asked at the first use
# in a recipe, and only once.
lazy = $(eval $(1) := $(2))$($(1))
PKG_CFLAGS = $(call lazy,PKG_CFLAGS,$(shell pkg-config --cflags $(PKGS)))
PKG_LIBS = $(call lazy,PKG_LIBS,$(shell \
	pkg-config --libs libbsd-overlay libxxhash))
FUSE_LIBS = $(call lazy,FUSE_LIBS,$(shell pkg-config --libs fuse3))
ARCHIVE_LIBS = $(call lazy,ARCHIVE_LIBS,$(shell pkg-config --libs libarchive))
CHECK_LIBS = $(call lazy,CHECK_LIBS,$(shell pkg-config --libs check))
# What is guarded by which mutex is checked by this clang: those before 19
# cannot read it on members of C structs (util/mutex.h).
LOCK_CC := clang-19
LOCK_CFLAGS := -DHAVE_GUARDED_BY -fexperimental-late-parse-attributes \
	-Wthread-safety -Werror=thread-safety -fsyntax-only

CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wvla -Werror
BASE_CFLAGS = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -pthread \
	-DKVFS_VERSION='"$(VERSION)"' $(WARN) \
	-Iinclude -Isrc $(PKG_CFLAGS)
ALL_CFLAGS = $(BASE_CFLAGS) $(CFLAGS) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -O1 -g1) \
	$(if $(DEBUG),$(DEBUG_CFLAGS)) $(if $(SAN)$(DEBUG)$(CHECKS),-DKVFS_CHECKS)
ALL_LDFLAGS = -pthread $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)
LIBS = -lsnappy $(PKG_LIBS)

# The objects of a folder and of the rooms in it.
src_of = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c $(1)/*/*.c))
prog_of = $(patsubst %.c,$(BUILD)/%,$(wildcard $(1)))
UTIL := $(call src_of,src/util)
KV := $(call src_of,src/kv)
ENGINE := $(call src_of,src/engine)
FS := $(call src_of,src/fs)
LANE := $(call src_of,src/lane)
FUSE := $(call src_of,src/fuse)
TOOLS := $(call src_of,src/tools)
SUPPORT := $(call src_of,tests/support)
UNIT := $(call prog_of,tests/unit/test_*.c)
MOUNT_TOOLS := $(call prog_of,tests/mount/*.c)
MOUNT := $(filter-out tests/mount/lib%.sh,$(wildcard tests/mount/*.sh))
STYLE := $(wildcard tests/style/*.sh)
SOURCES := $(wildcard include/*/*.h src/*/*.[ch] src/*/*/*.[ch] tests/*/*.[ch])
SCRIPTS := $(wildcard .ci/run mount-scripts/mount.kvfs \
	mount-scripts/umount.kvfs tests/*.sh tests/*/*.sh)
PROGRAMS := $(BUILD)/kvfs $(BUILD)/kvfsctl

all: $(PROGRAMS) ## build the daemon and the tool

# ---- Packages ----

# $(call need,PACKAGES): install by apt-get what dpkg does not know, as root;
# others are told what is missing.
define need
@mkdir -p build && exec 9>build/apt.lock && flock 9 || exit 1; \
command -v dpkg-query >/dev/null || { \
	echo 'packages needed (Debian names): $(1)'; exit 0; }; \
missing=; for p in $(1); do \
	dpkg-query -W -f '$${Status}' $$p 2>/dev/null | \
	grep -q 'ok installed' || missing="$$missing $$p"; \
done; \
[ -n "$$missing" ] || exit 0; \
if [ "$$(id -u)" = 0 ]; then \
	echo "installing:$$missing"; export DEBIAN_FRONTEND=noninteractive; \
	apt-get -qq update && \
	apt-get -qq install -y --no-install-recommends $$missing >/dev/null; \
else \
	echo "missing packages, install them as root:"; \
	echo "  apt-get install$$missing"; exit 1; \
fi
endef

# A stamp for each set, so that dpkg is asked once in a tree.
build/deps-%: Makefile
	$(if $(NODEPS),,$(call need,$(DEB_$(*))))
	@mkdir -p build && touch $@
DEPS := build/deps-BUILD
deps: build/deps-BUILD build/deps-CHECK ## install the packages that building and testing need

# ---- Building ----

$(BUILD)/%.o: %.c | $(DEPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(if $(filter tests/%,$<),-Itests) -MMD -MP -c -o $@ $<

$(BUILD)/libkvfs.a: $(UTIL) $(KV) $(ENGINE) $(FS) $(LANE)
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/libsupport.a: $(SUPPORT)
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^
# The daemon without main(), for unit tests of what needs no mount.
$(BUILD)/libdaemon.a: $(filter-out %/main.o,$(FUSE))
	@rm -f $@
	ar rcs $@ $^
$(BUILD)/kvfs: $(FUSE) $(BUILD)/libkvfs.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(FUSE_LIBS)
$(BUILD)/kvfsctl: $(TOOLS) $(BUILD)/libkvfs.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(ARCHIVE_LIBS)

# Programs of one source that use the library: unit and crash tests.
$(UNIT): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/libsupport.a \
		$(BUILD)/libdaemon.a $(BUILD)/libkvfs.a
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		$(CHECK_LIBS) $(LIBS) $(FUSE_LIBS)
# They count what the library allocates, or refuse it.
$(BUILD)/tests/unit/test_read_alloc $(BUILD)/tests/unit/test_backup: LDFLAGS += -Wl,--wrap=malloc \
	-Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=aligned_alloc
$(UNIT:=.o) $(SUPPORT): | build/deps-CHECK
# Programs that know nothing of kvfs: callers of a mount. But env_* have the
# library, to see on a disk of their own what it has to do with.
$(filter $(BUILD)/tests/mount/env_%,$(MOUNT_TOOLS)): $(BUILD)/libkvfs.a
$(MOUNT_TOOLS): $(BUILD)/%: $(BUILD)/%.o
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

# ---- Running ----

run: all ## build, mount a store at MNT, use it, and leave it mounted
	@mkdir -p '$(MNT)'
	@if mountpoint -q '$(MNT)'; then \
		echo 'already mounted: $(MNT)'; \
	else \
		$(BUILD)/kvfs '$(STORE)' '$(MNT)'; \
	fi
	mkdir -p '$(MNT)/users'
	echo Ada >'$(MNT)/users/42'
	cat '$(MNT)/users/42'
	ls -l '$(MNT)/users'
	$(BUILD)/kvfsctl get '$(MNT)' users/42
	@echo
	@echo 'The store is mounted: every file below $(MNT) is a key.'
	@echo 'State:  cat $(MNT)/.kvfs/stats'
	@echo 'Ending: $(BUILD)/kvfsctl umount $(MNT)'

# ---- Testing ----

# What tests find in their environment; see tests/README.md.
TEST_ENV = KVFS_BUILD='$(CURDIR)/$(BUILD)' KVFS='$(CURDIR)/$(BUILD)/kvfs' \
	KVFSCTL='$(CURDIR)/$(BUILD)/kvfsctl' CC='$(CC)' \
	CK_TIMEOUT_MULTIPLIER=$(if $(SAN),20,5)
# The sanitizers make everything slower.
RUN = $(TEST_ENV) tests/run.sh -j $(JOBS) $(if $(COMPLETE),-s) \
	$(if $(SAN),-t 900)
BUILT_TESTS := $(PROGRAMS) $(UNIT) $(MOUNT_TOOLS)

check: $(BUILT_TESTS) | build/deps-CHECK ## run all tests, install what they need
	$(RUN) $(UNIT) $(STYLE) $(MOUNT)
# SAN=thread has nothing to find in a program that cannot start a thread.
WITH_THREADS = $$(for t in $(UNIT); do \
	! nm -D $$t | grep -q ' pthread_create' || echo $$t; done)
check-unit: $(UNIT) ## run the tests that need no mount
	$(RUN) $(if $(filter thread,$(SAN)),$(WITH_THREADS),$(UNIT))
check-mount: $(PROGRAMS) $(MOUNT_TOOLS) | build/deps-CHECK ## run the tests on a mount
	$(RUN) $(MOUNT)
check-layers: $(PROGRAMS) ## no folder or room includes a higher one, no source is in a circle, names can be searched, nothing is too long
	@$(RUN) tests/style/layers.sh tests/style/circles.sh \
		tests/style/names.sh tests/style/sizes.sh
check-man: $(PROGRAMS) | build/deps-CHECK ## the manuals are well formed and say what --help says
	@$(RUN) tests/style/manuals.sh
unit: $(UNIT)

# Fuzz targets have clang's instrumentation, so their objects stand apart.
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
FUZZ_LIB := $(patsubst $(BUILD)/%,build/fuzz/%,$(UTIL) $(KV) $(ENGINE) $(FS))
FUZZ_SUPPORT := $(patsubst %.c,build/fuzz/%.o,$(wildcard tests/support/*.c))
FUZZ := $(patsubst %.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))
build/fuzz/%.o: %.c | $(DEPS) build/deps-LINT
	@mkdir -p $(@D)
	clang $(BASE_CFLAGS) $(FUZZ_FLAGS) -Itests -MMD -MP -c -o $@ $<
$(FUZZ_SUPPORT): | build/deps-CHECK
# An archive: a target takes of it what it uses.
build/fuzz/libsupport.a: $(FUZZ_SUPPORT)
	@rm -f $@
	ar rcs $@ $^
$(FUZZ): build/fuzz/%: build/fuzz/%.o build/fuzz/libsupport.a $(FUZZ_LIB)
	clang -pthread -fsanitize=fuzzer,address,undefined -o $@ $^ \
		$(CHECK_LIBS) $(LIBS)
fuzz: $(FUZZ) ## feed damaged bytes to every reader, FUZZ_SECONDS each
	tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ)

# ---- Measuring ----

BENCH_ENGINE := $(filter-out %/bench_mount.o %/ceiling_fs.o,$(call src_of,tests/bench))
BENCH := $(addprefix $(BUILD)/tests/bench/,bench_engine bench_mount ceiling_fs)
$(addprefix $(BUILD)/tests/bench/bench_,rocksdb.o leveldb.o lmdb.o): | build/deps-BENCH
# How it counts is tested without the stores.
$(BUILD)/tests/unit/test_bench: $(addprefix $(BUILD)/tests/bench/bench_,data.o latency.o proc.o report.o)
$(BUILD)/tests/bench/bench_engine: $(BENCH_ENGINE) $(BUILD)/libkvfs.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lrocksdb -lleveldb -llmdb $(LIBS)
$(BUILD)/tests/bench/bench_mount: $(addprefix $(BUILD)/tests/bench/bench_,mount.o latency.o)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(BUILD)/tests/bench/ceiling_fs: $(BUILD)/tests/bench/ceiling_fs.o
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(FUSE_LIBS)
bench: $(PROGRAMS) $(BENCH) | build/deps-BENCH ## measure beside RocksDB, LevelDB and LMDB, and beside ext4 and FUSE's ceiling
	$(BUILD)/tests/bench/bench_engine -o $(BUILD)/bench.tsv $(BENCH_FLAGS)
	tests/bench/bench_plot.sh $(BUILD)/bench.tsv '$(BENCH_SVG)'
	$(TEST_ENV) tests/bench/bench_mount.sh

# ---- Looking ----

TIDY_CHECKS := -*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-assignment-in-if-condition,-bugprone-narrowing-conversions,-bugprone-implicit-widening-of-multiplication-result,-bugprone-reserved-identifier,-bugprone-branch-clone,-bugprone-sizeof-expression,clang-analyzer-*,-clang-analyzer-optin.performance.Padding,-clang-analyzer-security.insecureAPI.*,-clang-analyzer-valist.Uninitialized,misc-redundant-expression,performance-*,-performance-no-int-to-ptr,readability-misleading-indentation
# The analyser gives up on a function after so many steps; its default, three
# times as many, takes most of the time for a few functions.
TIDY_BOUND := -Xclang -analyzer-config -Xclang max-nodes=75000
lint: $(PROGRAMS) | $(DEPS) build/deps-CHECK build/deps-LINT build/deps-BENCH ## format, locks, atomics, analysers, shell and manuals
	clang-format --dry-run -Werror $(SOURCES)
	printf '%s\n' $(filter tests/%.c,$(SOURCES)) | xargs -P $(JOBS) -n 8 \
	$(LOCK_CC) $(BASE_CFLAGS) -Itests $(LOCK_CFLAGS)
	printf '%s\n' $(filter src/%.c,$(SOURCES)) | xargs -P $(JOBS) -n 8 \
	$(LOCK_CC) $(BASE_CFLAGS) $(LOCK_CFLAGS) -Werror=atomic-implicit-seq-cst
	printf '%s\n' $(filter src/%.c,$(SOURCES)) | xargs -P $(JOBS) -I'{}' \
	clang-tidy --quiet --warnings-as-errors='*' \
		--checks='$(TIDY_CHECKS)' '{}' -- $(BASE_CFLAGS) \
		$(TIDY_BOUND) 2>&1 | \
		{ ! grep -v 'warnings\? generated'; }
	cppcheck --quiet --error-exitcode=1 --std=c11 -j $(JOBS) \
		--enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem \
		$(subst -isystem ,-I,$(PKG_CFLAGS)) '--suppress=*:/usr/include/*' \
		-Iinclude -Isrc -D_GNU_SOURCE src
	printf '%s\n' $(SCRIPTS) | xargs -P $(JOBS) -n 8 \
	shellcheck -x -S warning -e SC2034,SC2046,SC2154
	mandoc -Tlint -W warning $(wildcard man/*.[0-9])
	tests/style/layers.sh
	tests/style/names.sh
	tests/style/sizes.sh
	$(TEST_ENV) tests/style/circles.sh
format: | build/deps-LINT ## lay all sources out as .clang-format says
	clang-format -i $(SOURCES)

cc_entry = {"directory":"$(CURDIR)","file":"$(1)","command":"$(CC) $(ALL_CFLAGS) -Itests -c $(1)"}
compile_commands.json: $(filter %.c,$(SOURCES)) Makefile | $(DEPS) ## for editors and clangd
	@{ echo '['; printf '%s' '$(subst $(space){"dir,$(comma){"dir,$(strip \
		$(foreach s,$(filter %.c,$(SOURCES)),$(call cc_entry,$(s)))))'; \
		echo ']'; } >$@

# ---- Installing ----

install_man = install -Dm644 $(1) \
	$(DESTDIR)$(PREFIX)/share/man/man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))
MANUALS := $(wildcard man/*.[0-9])
install: all ## put programs, mount helper and manuals under DESTDIR and PREFIX
	install -Dm755 $(BUILD)/kvfs $(DESTDIR)$(PREFIX)/bin/kvfs
	install -Dm755 $(BUILD)/kvfsctl $(DESTDIR)$(PREFIX)/bin/kvfsctl
	install -Dm755 mount-scripts/mount.kvfs $(DESTDIR)$(SBINDIR)/mount.kvfs
	install -Dm755 mount-scripts/umount.kvfs $(DESTDIR)$(SBINDIR)/umount.kvfs
	ln -sf umount.kvfs $(DESTDIR)$(SBINDIR)/umount.fuse.kvfs
	$(foreach m,$(MANUALS),$(call install_man,$(m))$(newline))
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/kvfs $(DESTDIR)$(PREFIX)/bin/kvfsctl \
		$(DESTDIR)$(SBINDIR)/mount.kvfs \
		$(DESTDIR)$(SBINDIR)/umount.kvfs \
		$(DESTDIR)$(SBINDIR)/umount.fuse.kvfs $(foreach m,$(MANUALS), \
		$(DESTDIR)$(PREFIX)/share/man/man$(patsubst .%,%,$(suffix $(m)))/$(notdir $(m)))
define newline


endef

clean: ## remove what was built (not the store of make run)
	rm -rf build compile_commands.json
help: ## list the targets
	@sed -n 's/^\([a-z._-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 24

.PHONY: all deps run check check-unit check-mount check-layers check-man unit \
	fuzz bench lint format install uninstall clean help
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find build -name '*.d' 2>/dev/null)
