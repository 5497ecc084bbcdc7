/* transfers.c - transfers over random links, with crashes of both ends and a faulty disk.
 *
 *     transfers [FIRST [COUNT]]   less of it: tier.h; a seed replays by number
 *     transfers -v SEED           what happens in it
 *     transfers --no-sync ...     a disk that ignores syncs: must be seen to break
 *
 * A file, a folder or a stream of unknown size goes from a sender to a part (src/disk) on a disk
 * that loses power, is full and fails (faultdisk.h), over a stream with rate, delay and loss that
 * breaks: every other one in a whole session of datagrams (flow/flow.h), sealed and all; some have
 * several pages of leaves. At random moments the stream is lost, either end is killed, the power
 * goes in the middle of a call, people pause and go on, a reader seeks, the source changes. Then
 * all heals, and it is judged: it ends, whole, and no block that was acknowledged as verified
 * crossed the link again or was ever lost. In every other life there is a server between: it takes
 * and keeps all of it, then gives it to a person, and dies while it does either; what it said that
 * it has is there to the end. Each kind of happening must be in at least one life of a hundred.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "sim/haul.h"
#include "sim/tier.h"

enum { ACTS = 24, SETTLE_S = 900, LARGE_ONE_IN = 60 };

static const char *const words_of[] = {
#define X(name, words) words,
    HAPPENINGS(X)
#undef X
};

/* --- what happens
 * ------------------------------------------------------------------------------------- */

static void lose_stream(struct haul *w)
{
    haul_new_stream(w);
}

static void drop_receiver(struct haul *w)
{
    haul_do_all(w, true, false);
    receiver_free(w->r);
    w->r = NULL;
    disk_part_close(w->part);
    w->part = NULL;
    faultdisk_close_all(&w->disk);
}

static void drop_sender(struct haul *w)
{
    haul_do_all(w, false, false);
    sender_free(w->s);
    w->s = NULL;
}

static void sender_goes_on(struct haul *w)
{
    haul_do_all(w, false, true);
    struct share_view v;
    sender_look(w->s, &v);
    if (v.state != SHARE_OVER && v.state != SHARE_DONE && !sender_again(w->s))
        return;
    if (v.state == SHARE_OVER && w->stream) { /* what was piped in is gone with it: begin anew */
        drop_receiver(w);
        haul_open_part(w);
        if (w->part)
            disk_part_remove(w->part);
        w->part = NULL;
        held_fini(&w->acked);
        haul_new_receiver(w);
    }
    drop_sender(w);
    haul_new_sender(w);
}

static void power_goes(struct haul *w)
{
    haul_tell(w, "power goes", 0);
    w->counts[NAME_POWER]++;
    w->counts[NAME_TAKING] += w->kept;
    lose_stream(w);
    drop_receiver(w);
    faultdisk_power_up(&w->disk);
    if (dice_below(&w->dice, 4) == 0 && !w->peace)
        w->disk.cut_in = 1 + dice_below(&w->dice, 30); /* and again while it comes up */
    haul_new_receiver(w);
    sender_goes_on(w);
}

static void receiver_dies(struct haul *w)
{
    haul_tell(w, "receiver dies", 0);
    w->counts[NAME_RECEIVER]++;
    w->counts[NAME_TAKING] += w->kept;
    lose_stream(w);
    drop_receiver(w);
    haul_new_receiver(w);
    sender_goes_on(w);
}

/* Killed, or with its power. */
static void server_dies(struct haul *w)
{
    w->counts[NAME_GIVING]++;
    if (dice_below(&w->dice, 2))
        faultdisk_power_up(&w->server->disk);
    else
        faultdisk_close_all(&w->server->disk);
}

static void sender_dies(struct haul *w)
{
    haul_tell(w, "sender dies", 0);
    if (w->stream)
        return;
    w->counts[NAME_SENDER]++;
    lose_stream(w);
    drop_sender(w);
    if (w->server)
        server_dies(w);
    else
        w->hashed = dice_below(&w->dice, 2);
    haul_new_sender(w);
    haul_flush(w);
    if (receiver_again(w->r))
        receiver_dies(w);
}

static void stream_breaks(struct haul *w)
{
    haul_tell(w, "stream breaks", 0);
    w->counts[NAME_LOST]++;
    lose_stream(w);
    if (dice_below(&w->dice, 2))
        haul_flush(w);
    haul_do_all(w, true, true);
    if (receiver_again(w->r))
        receiver_dies(w);
    else
        sender_goes_on(w);
}

/* Other bytes stand there, and its time says so. */
static void change_source(struct haul *w)
{
    if (w->stream || w->changed || !w->size || w->kept || w->server)
        return;
    w->counts[NAME_CHANGED]++;
    haul_tell(w, "source changes", 0);
    w->changed = true;
    w->mtime_ns++;
    lose_stream(w);
    drop_sender(w);
    haul_fill(w);
    haul_new_sender(w);
    haul_flush(w);
    if (receiver_again(w->r))
        receiver_dies(w);
}

static void cancel(struct haul *w)
{
    haul_tell(w, "cancel", 0);
    w->counts[NAME_CANCEL]++;
    if (dice_below(&w->dice, 2))
        receiver_cancel(w->r, -ROOST_CANCELLED);
    else
        sender_cancel(w->s, -ROOST_CANCELLED);
}

static void pause_one(struct haul *w)
{
    haul_tell(w, "pause", 0);
    w->counts[NAME_PAUSE]++;
    if (dice_below(&w->dice, 2))
        receiver_pause(w->r, true);
    else
        sender_pause(w->s, true);
}

static void act(struct haul *w)
{
    receiver_pause(w->r, false);
    sender_pause(w->s, false);
    w->disk.fail_ppm = 0;
    switch (dice_below(&w->dice, 14)) {
    case 0:
    case 1:
        stream_breaks(w);
        break;
    case 2:
        sender_dies(w);
        break;
    case 3:
        receiver_dies(w);
        break;
    case 4:
    case 5:
    case 6:
        w->disk.cut_in = 1 + dice_below(&w->dice, 40);
        break;
    case 7:
        w->disk.room = dice_below(&w->dice, w->size + 1000) + 1;
        break;
    case 8:
        w->disk.fail_ppm = 100000;
        break;
    case 9:
        pause_one(w);
        break;
    case 10:
        w->counts[NAME_SEEK] += !receiver_want(w->r, dice_below(&w->dice, tree_blocks(w->size) + 1),
                                               dice_below(&w->dice, 5));
        break;
    case 11:
        if (dice_below(&w->dice, 6) == 0)
            change_source(w);
        break;
    case 12:
        if (dice_below(&w->dice, 3) == 0)
            cancel(w);
        break;
    default:
        break;
    }
}

/* --- what follows of itself
 * ------------------------------------------------------------------------------ */

/* One end says that it is over: is that as it should be? Then both begin again. */
static void take_up_again(struct haul *w, int err)
{
    bool known = err == -ROOST_IO || err == -ROOST_DISK_FULL || err == -ROOST_CANCELLED;

    haul_tell(w, "over", err);
    haul_flush(w);
    if (err == -ROOST_SOURCE_CHANGED &&
        w->changed) { /* as a person would: what it was before goes */
        lose_stream(w);
        haul_do_all(w, true, false);
        receiver_free(w->r);
        w->r = NULL;
        w->disk.fail_ppm = 0;
        if (disk_part_is_whole(w->part)) { /* it had come to its end just then */
            w->disk.os.remove_below(&w->disk, DISK_ROOT, w->n_files ? "top" : "it");
            w->disk.os.sync(&w->disk, DISK_ROOT);
        }
        disk_part_remove(w->part);
        w->part = NULL;
        held_fini(&w->acked);
        w->changed = false; /* once more, if it was cut off */
        drop_sender(w);
        haul_new_sender(w);
        haul_new_receiver(w);
        w->changed = true;
        return;
    }
    if (!known) {
        haul_broke(w, err_name(err));
        return;
    }
    if (err == -ROOST_DISK_FULL)
        w->disk.room = 0;
    if (w->disk.cut)
        return;
    lose_stream(w);
    drop_receiver(w);
    haul_new_receiver(w);
    sender_goes_on(w);
}

static void look(struct haul *w)
{
    struct share_view s, r;

    if (w->disk.cut) {
        power_goes(w);
        return;
    }
    if (w->whole)
        return;
    sender_look(w->s, &s);
    receiver_look(w->r, &r);
    w->whole = s.state == SHARE_DONE;
    if (s.state == SHARE_DONE && r.state != SHARE_DONE)
        haul_broke(w, "the sender knows of an end that is none");
    if (r.state == SHARE_OVER && !receiver_wishes(w->r))
        take_up_again(w, r.err);
    else if (s.state == SHARE_OVER && r.state != SHARE_OVER && !s.theirs && haul_is_quiet(w) &&
             r.state == SHARE_DONE)
        take_up_again(w, s.err);
}

static int64_t next_time(const struct haul *w)
{
    int64_t next = w->now_us + SECOND;
    int64_t at[] = { haul_link_due_us(w), receiver_deadline_us(w->r) };

    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        next = at[i] > w->now_us && at[i] < next ? at[i] : next;
    for (int i = 0; i < PENDING; i++)
        if (w->pending[i].used && w->pending[i].due_us < next)
            next = w->pending[i].due_us;
    return next > w->now_us ? next : w->now_us + 1;
}

static void run_until(struct haul *w, int64_t until)
{
    while (w->now_us < until && !w->whole && !w->broken) {
        haul_turn(w);
        w->now_us = next_time(w) < until ? next_time(w) : until;
        for (int i = 0; i < PENDING && !w->disk.cut; i++)
            if (w->pending[i].used && w->pending[i].due_us <= w->now_us)
                haul_do_pending(w, &w->pending[i], true);
        look(w);
    }
}

/* --- a life
 * ------------------------------------------------------------------------------------------------
 */

static void judge_kept(struct haul *w)
{
    char name[2 * TREE_HASH + 1];
    uint64_t len = 0;

    haul_kept_name(w, name);
    const uint8_t *p = faultdisk_look(&w->disk, name, &len);
    if (!p || len != w->size || memcmp(p, w->body, w->size))
        haul_broke(w, "what is kept is another");
    p = w->n_files ? faultdisk_look(&w->disk, KEPT_NAME ".list", &len) : NULL;
    if (w->n_files && (!p || len != w->list_len || memcmp(p, w->list, w->list_len)))
        haul_broke(w, "the list that is kept is another");
}

static void judge(struct haul *w)
{
    uint64_t len = 0;

    if (!w->whole) {
        haul_broke(w, "it does not end");
        return;
    }
    if (w->kept) {
        judge_kept(w);
        return;
    }
    const uint8_t *p = w->n_files ? NULL : faultdisk_look(&w->disk, "it", &len);
    if (!w->n_files && (!p || len != w->size || memcmp(p, w->body, w->size)))
        haul_broke(w, "the file is another");
    for (uint32_t i = 0; i < w->n_files; i++) {
        p = faultdisk_look(&w->disk, w->files[i].path, &len);
        if (w->files[i].folder
                ? !faultdisk_has(&w->disk, w->files[i].path)
                : !p || len != w->files[i].size || memcmp(p, w->body + w->files[i].at, len))
            haul_broke(w, "a file of the folder is another, or not there");
    }
}

/* DONE is a promise too: the power goes once more. */
static void judge_after_power(struct haul *w)
{
    disk_part_close(w->part);
    w->part = NULL;
    faultdisk_power_up(&w->disk);
    judge(w);
}

/* server: what it kept is brought from there; NULL: something new */
static void begin(struct haul *w, uint64_t seed, bool ignores_sync, struct haul *server)
{
    *w = (struct haul){
        .tells = w->tells, .seed = seed, .dice = { seed }, .now_us = SECOND, .mtime_ns = 7
    };
    w->server = server;
    w->dice.state ^= server ? 0x5e17e2 : 0; /* other things happen than on the way there */
    struct link_config c = { .rate_bps = 1000000u << dice_below(&w->dice, 7),
                             .delay_us = dice_between(&w->dice, 0, 80000),
                             .jitter_us = dice_between(&w->dice, 0, 5000),
                             .loss_ppm = (uint32_t)dice_below(&w->dice, 20000),
                             .queue_bytes = 20000u << dice_below(&w->dice, 5) };
    w->sessions = seed % 2;
    w->large = !server && seed % LARGE_ONE_IN == LARGE_ONE_IN / 2;
    w->kept = !server && !w->large && seed / 2 % 2;
    if (w->large)
        c.rate_bps = 500000000;
    for (uint64_t i = 0; i < 2; i++)
        link_init(&w->link[i], w->sessions ? LINK_DATAGRAMS : LINK_STREAM, &c, seed + i);
    faultdisk_init(&w->disk, seed);
    w->disk.ignores_sync = ignores_sync;
    if (server)
        haul_same_source(w, server);
    else
        haul_make_source(w);
    haul_new_stream(w);
    haul_new_sender(w);
    haul_new_receiver(w);
}

static void fini(struct haul *w)
{
    w->counts[NAME_SECTOR] = w->disk.counts.lost;
    w->counts[NAME_NAME] = w->disk.counts.names_lost;
    w->counts[NAME_FULL] = w->disk.counts.full;
    w->counts[NAME_ERROR] = w->disk.counts.errors;
    if (w->r)
        haul_do_all(w, true, false);
    if (w->s)
        haul_do_all(w, false, false);
    receiver_free(w->r);
    sender_free(w->s);
    haul_end_session(w);
    disk_part_close(w->part);
    faultdisk_fini(&w->disk);
    held_fini(&w->acked);
    for (int i = 0; i < 2; i++)
        link_fini(&w->link[i]);
    free(w->body);
    free(w->inbox);
}

static bool go(struct haul *w)
{
    for (int i = 0; i < ACTS && !w->whole && !w->broken; i++) {
        run_until(w, w->now_us + dice_between(&w->dice, 0, (int64_t)SECOND / 2));
        if (!w->whole && !w->broken)
            act(w);
    }
    w->peace = true;
    w->disk.fail_ppm = 0;
    w->disk.room = 0;
    if (!w->whole && !w->broken) {
        receiver_pause(w->r, false);
        sender_pause(w->s, false);
        run_until(w, w->now_us + SETTLE_S * SECOND);
    }
    if (!w->broken)
        judge(w);
    if (!w->broken)
        judge_after_power(w);
    return !w->broken;
}

static bool live(uint64_t seed, bool ignores_sync, bool tells, uint64_t lives[KINDS],
                 uint64_t total[KINDS])
{
    static struct haul there, from;

    there.tells = from.tells = tells;
    begin(&there, seed, ignores_sync, NULL);
    bool ok = go(&there), twice = ok && there.kept;
    if (twice) {
        begin(&from, seed, ignores_sync, &there);
        ok = go(&from);
        judge_kept(&there);
        ok = ok && !there.broken;
        fini(&from);
    }
    fini(&there);
    for (int i = 0; i < KINDS; i++) {
        uint64_t n = there.counts[i] + (twice ? from.counts[i] : 0);
        lives[i] += n > 0;
        total[i] += n;
    }
    return ok;
}

static long report(long done, const uint64_t lives[KINDS], const uint64_t total[KINDS])
{
    long rare = 0;

    printf("NOTE %ld transfers\n", done);
    for (int i = 0; i < KINDS; i++) {
        printf("  %-36s %9llu in %llu lives\n", words_of[i], (unsigned long long)total[i],
               (unsigned long long)lives[i]);
        if (done >= 100 && lives[i] * 100 < (uint64_t)done) {
            printf("FAIL too rare: %s\n", words_of[i]);
            rare++;
        }
    }
    return rare;
}

int main(int argc, char **argv)
{
    static uint64_t lives[KINDS], total[KINDS];
    bool no_sync = argc > 1 && !strcmp(argv[1], "--no-sync");
    bool tells = argc > 1 && !strcmp(argv[1], "-v");
    int a = 1 + no_sync + tells;
    uint64_t first = argc > a ? strtoull(argv[a], NULL, 10) : 1;
    long count = argc > a + 1 ? atol(argv[a + 1]) : argc > a ? 1 : tier_lives(2000);
    long seconds = tier_seconds(), done = 0, failed = 0;
    time_t started = time(NULL);

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (; done < count && (done < 1 || time(NULL) - started < seconds) && failed < 5; done++)
        if (!live(first + (uint64_t)done, no_sync, tells, lives, total)) {
            failed++;
            if (!no_sync)
                printf("FAIL seed %llu\n", (unsigned long long)first + (unsigned long long)done);
        }
    if (no_sync) {
        printf(failed ? "ok seen in %ld lives\n" : "FAIL nobody saw it in %ld lives\n", done);
        return !failed;
    }
    failed += report(done, lives, total);
    if (!failed)
        printf("ok %ld transfers\n", done);
    return failed > 0;
}
