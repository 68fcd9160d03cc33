/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blk_io: the same jobs by io_uring and by plain calls, on a file system that
 * can tell what lies in memory and on one that cannot. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/engine_fixture.h"
#include "ring/blk_io.h"
#include "ring/blk_pace.h"

#define BLOCK 4096u
#define NR_BLOCKS 16u

struct rig {
    struct fixture *f;
    libxl__blk_io *io;
    int fd;
    unsigned done;
    int all_done;
    unsigned expected;
};

struct block_job {
    struct blk_job job;
    struct iovec iov[2];
    uint8_t data[BLOCK];
};

static void done(libxl__egc *egc, void *user, struct blk_job *job)
{
    struct rig *r = user;

    r->all_done = ++r->done == r->expected;
}

static void open_rig(struct rig *r, struct fixture *f, int fd, bool uring)
{
    const char *why;

    *r = (struct rig){.f = f, .fd = fd};
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, NR_BLOCKS * BLOCK), 0);
    r->io = uring ? libxl__blk_io_uring_open(f->ctx, fd, done, r, &why)
                  : libxl__blk_io_sync_open(f->ctx, fd, done, r);
}

static void close_rig(struct rig *r)
{
    r->io->ops->close(r->io);
    close(r->fd);
}

/* In two pieces, so that a short transfer has something to go wrong with. */
static void fill(struct block_job *b, int kind, unsigned block)
{
    b->iov[0] = (struct iovec){b->data, 512};
    b->iov[1] = (struct iovec){b->data + 512, BLOCK - 512};
    b->job = (struct blk_job){.kind = kind, .offset = block * BLOCK,
                              .bytes = BLOCK, .iov = b->iov, .nr_iov = 2,
                              .result = 1};
}

static void run(struct rig *r, struct block_job *b, unsigned nr)
{
    r->done = 0;
    r->all_done = 0;
    r->expected = nr;
    for (unsigned i = 0; i < nr; i++)
        r->io->ops->submit(NULL, r->io, &b[i].job);
    r->io->ops->flush(NULL, r->io);
    fixture_run_until(r->f, &r->all_done);
    assert_int_equal(r->done, nr);
}

static int run_one(struct rig *r, struct block_job *b, int kind, unsigned block)
{
    fill(b, kind, block);
    run(r, b, 1);
    return b->job.result;
}

static bool is_all(const uint8_t *data, uint8_t value)
{
    for (unsigned i = 0; i < BLOCK; i++)
        if (data[i] != value)
            return false;
    return true;
}

static void check_write_read(struct rig *r)
{
    static struct block_job b[NR_BLOCKS];

    for (unsigned i = 0; i < NR_BLOCKS; i++) {
        fill(&b[i], BLK_JOB_WRITE, i);
        memset(b[i].data, (int)i + 1, BLOCK);
        b[i].job.durable = i % 2;
    }
    run(r, b, NR_BLOCKS);
    assert_int_equal(run_one(r, &b[0], BLK_JOB_FLUSH, 0), 0);
    for (unsigned i = 0; i < NR_BLOCKS; i++) { /* alone */
        memset(b[0].data, 0, BLOCK);
        assert_int_equal(run_one(r, &b[0], BLK_JOB_READ, i), 0);
        assert_true(is_all(b[0].data, (uint8_t)(i + 1)));
    }
    memset(b, 0, sizeof(b)); /* a batch */
    for (unsigned i = 0; i < NR_BLOCKS; i++)
        fill(&b[i], BLK_JOB_READ, i);
    run(r, b, NR_BLOCKS);
    for (unsigned i = 0; i < NR_BLOCKS; i++) {
        assert_int_equal(b[i].job.result, 0);
        assert_true(is_all(b[i].data, (uint8_t)(i + 1)));
    }
}

static void check_mixed(struct rig *r)
{
    static struct block_job b[3];

    fill(&b[0], BLK_JOB_READ, 3);
    fill(&b[1], BLK_JOB_PUNCH, 4);
    fill(&b[2], BLK_JOB_READ, 5);
    run(r, b, 3);
    assert_true(is_all(b[0].data, 4) && is_all(b[2].data, 6));
    assert_int_equal(b[1].job.result, 0);
    assert_int_equal(run_one(r, &b[0], BLK_JOB_READ, 4), 0);
    assert_true(is_all(b[0].data, 0));
}

static void check_file_cut(struct rig *r)
{
    static struct block_job b[2];

    assert_int_equal(ftruncate(r->fd, (NR_BLOCKS - 1) * BLOCK + 1024), 0);
    assert_int_equal(run_one(r, &b[0], BLK_JOB_READ, NR_BLOCKS - 1), -EIO);
    fill(&b[0], BLK_JOB_READ, NR_BLOCKS - 1);
    fill(&b[1], BLK_JOB_READ, NR_BLOCKS - 2);
    run(r, b, 2);
    assert_int_equal(b[0].job.result, -EIO);
    assert_int_equal(b[1].job.result, 0);
}

static void check(void **state, int fd, bool uring)
{
    struct rig r;

    open_rig(&r, *state, fd, uring);
    if (!r.io) {
        close(fd);
        skip(); /* this kernel does not allow io_uring */
    }
    check_write_read(&r);
    check_mixed(&r);
    check_file_cut(&r);
    close_rig(&r);
}

static int disk_file(void)
{
    char path[] = "/var/tmp/xl-blk-io.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd >= 0)
        unlink(path);
    return fd;
}

static int memory_file(void)
{
    return memfd_create("blk-io", MFD_CLOEXEC);
}

static void uring_on_a_disk(void **state)
{
    check(state, disk_file(), true);
}

static void uring_in_memory(void **state)
{
    check(state, memory_file(), true);
}

static void plain_on_a_disk(void **state)
{
    check(state, disk_file(), false);
}

static void plain_in_memory(void **state)
{
    check(state, memory_file(), false);
}

/* ---- the pace ---- */

static unsigned handed_over(struct blk_pace *p)
{
    unsigned n = 0;

    while (!blk_pace_here(p))
        n++;
    return n;
}

static void quick_ones_stay_here(void **state)
{
    struct blk_pace p = {0};

    for (unsigned i = 0; i < 1000; i++) {
        assert_true(blk_pace_here(&p));
        blk_pace_took(&p, BLK_PACE_QUICK_NS - 1);
    }
}

static void slow_ones_are_handed_over_more_and_more(void **state)
{
    struct blk_pace p = {0};

    for (unsigned skip = BLK_PACE_SKIP_MIN; skip < 4 * BLK_PACE_SKIP_MAX;
         skip *= 2) {
        blk_pace_took(&p, BLK_PACE_QUICK_NS);
        assert_int_equal(handed_over(&p), skip < BLK_PACE_SKIP_MAX
                                              ? skip
                                              : BLK_PACE_SKIP_MAX);
    }
}

static void many_quick_ones_forget_the_slow(void **state)
{
    struct blk_pace p = {0};

    blk_pace_took(&p, UINT64_MAX);
    blk_pace_took(&p, UINT64_MAX);
    handed_over(&p);
    for (unsigned i = 1; i < BLK_PACE_FORGET; i++)
        blk_pace_took(&p, 0);
    assert_int_equal(p.next_skip, 4 * BLK_PACE_SKIP_MIN);
    blk_pace_took(&p, 0);
    blk_pace_took(&p, UINT64_MAX);
    assert_int_equal(handed_over(&p), BLK_PACE_SKIP_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(uring_on_a_disk, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(uring_in_memory, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(plain_on_a_disk, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(plain_in_memory, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test(quick_ones_stay_here),
        cmocka_unit_test(slow_ones_are_handed_over_more_and_more),
        cmocka_unit_test(many_quick_ones_forget_the_slow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
