/* What the hub does with backups, checks, restores and figures: who may ask, what is handed
 * on, what is answered and logged. */
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "test.h"

static struct hub_keep asked;
static uint8_t asked_first;
static unsigned times;
static int answer_err;

static void keeper(const struct hub_keep *k, struct hub_kept *ret)
{
    static const struct hub_stat stats[] = { { "disk", 0, "fine" }, { "connections", 7, NULL } };
    static const uint8_t sum[32] = { 9 };

    asked = *k;
    asked_first = k->n_data ? k->data[0] : 0;
    times++;
    *ret = (struct hub_kept){ .err = answer_err,
                              .work = 5,
                              .stage = ROOST__WORK_STAGE__WORK_READY,
                              .total = 1000,
                              .data = (const uint8_t *)"abc",
                              .n_data = 3,
                              .sha256 = sum,
                              .text = "2 accounts",
                              .stats = stats,
                              .n_stats = 2 };
}

static size_t logged(struct visitor *boss, const char *kind)
{
    return log_page(boss, kind, false)->n_lines;
}

static void only_admins_are_handed_on(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *ann = visitor_named(s, "ann");
    Roost__AdminBackup backup = ROOST__ADMIN_BACKUP__INIT;
    Roost__AdminRestore restore = ROOST__ADMIN_RESTORE__INIT;
    Roost__AdminCheck check = ROOST__ADMIN_CHECK__INIT;
    Roost__AdminStats stats = ROOST__ADMIN_STATS__INIT;

    CHECK(reply_code(ASK(boss, ADMIN_BACKUP, admin_backup, &backup)) == ROOST_UNSUPPORTED);
    s->hall.keeper = keeper;
    times = 0;
    answer_err = 0;
    CHECK(reply_code(ASK(ann, ADMIN_BACKUP, admin_backup, &backup)) == ROOST_NOT_ALLOWED);
    CHECK(reply_code(ASK(ann, ADMIN_RESTORE, admin_restore, &restore)) == ROOST_NOT_ALLOWED);
    CHECK(reply_code(ASK(ann, ADMIN_CHECK, admin_check, &check)) == ROOST_NOT_ALLOWED);
    CHECK(reply_code(ASK(ann, ADMIN_STATS, admin_stats, &stats)) == ROOST_NOT_ALLOWED);
    CHECK(times == 0);
    CHECK(reply_code(ASK(boss, ADMIN_CHECK, admin_check, &check)) == 0);
    CHECK(times == 1 && asked.what == KEEP_CHECK && asked.account == boss->account);
    visitor_free(ann);
    visitor_free(boss);
    stage_free(s);
}

static void pieces_come_back_and_are_logged_once(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s);
    Roost__AdminBackup b = ROOST__ADMIN_BACKUP__INIT;

    s->hall.keeper = keeper;
    answer_err = 0;
    size_t before = logged(boss, "admin_backup");
    Roost__Reply *r = ASK(boss, ADMIN_BACKUP, admin_backup, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_WORK && r->work->work == 5);
    CHECK(r->work->stage == ROOST__WORK_STAGE__WORK_READY && r->work->total == 1000);
    CHECK(r->work->data.len == 3 && !memcmp(r->work->data.data, "abc", 3));
    CHECK(r->work->sha256.len == 32 && r->work->sha256.data[0] == 9);
    CHECK(!strcmp(r->work->text, "2 accounts"));
    b.work = 5;
    for (b.offset = 0; b.offset < 10; b.offset++)
        CHECK(reply_code(ASK(boss, ADMIN_BACKUP, admin_backup, &b)) == 0);
    CHECK(asked.what == KEEP_BACKUP && asked.work == 5 && asked.offset == 9);
    CHECK(logged(boss, "admin_backup") == before + 1);

    /* what is refused is logged each time */
    answer_err = -ROOST_BUSY;
    r = ASK(boss, ADMIN_BACKUP, admin_backup, &b);
    CHECK(reply_code(r) == ROOST_BUSY && r->error->retry_after_ms > 0);
    CHECK(logged(boss, "admin_backup") == before + 2);
    visitor_free(boss);
    stage_free(s);
}

static void a_restore_is_handed_on_piece_by_piece(void)
{
    static uint8_t piece[48 * 1024 + 1] = { 42 };
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s);
    Roost__AdminRestore b = ROOST__ADMIN_RESTORE__INIT;

    s->hall.keeper = keeper;
    answer_err = 0;
    b.size = 12345;
    CHECK(reply_code(ASK(boss, ADMIN_RESTORE, admin_restore, &b)) == 0);
    CHECK(asked.what == KEEP_RESTORE && asked.size == 12345 && !asked.work);
    b = (Roost__AdminRestore)ROOST__ADMIN_RESTORE__INIT;
    b.work = 5;
    b.data = (ProtobufCBinaryData){ sizeof piece - 1, piece };
    b.all = true;
    CHECK(reply_code(ASK(boss, ADMIN_RESTORE, admin_restore, &b)) == 0);
    CHECK(asked.n_data == sizeof piece - 1 && asked_first == 42 && asked.all && !asked.go);
    b.data.len++;
    CHECK(reply_code(ASK(boss, ADMIN_RESTORE, admin_restore, &b)) == ROOST_TOO_LONG);
    b = (Roost__AdminRestore)ROOST__ADMIN_RESTORE__INIT;
    b.work = 5;
    b.go = true;
    CHECK(reply_code(ASK(boss, ADMIN_RESTORE, admin_restore, &b)) == 0 && asked.go);
    const Roost__LogPage *page = log_page(boss, "admin_restore", false);
    CHECK(page->n_lines == 3 && !strcmp(page->lines[2]->target, "go"));
    CHECK(!strcmp(page->lines[1]->outcome, "too-long"));
    visitor_free(boss);
    stage_free(s);
}

/* Of work on the data only: figures are told at once. */
static void that_who_asked_is_gone_is_told_once(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *aide = visitor_new(s);
    Roost__AdminStats stats = ROOST__ADMIN_STATS__INIT;
    Roost__AdminCheck check = ROOST__ADMIN_CHECK__INIT;

    s->hall.keeper = keeper;
    answer_err = 0;
    CHECK(reply_code(ASK(boss, ADMIN_CHECK, admin_check, &check)) == 0);
    CHECK(reply_code(ASK(boss, ADMIN_CHECK, admin_check, &check)) == 0);
    CHECK(login(aide, "boss", PASSWORD, 201) == 0);
    CHECK(reply_code(ASK(aide, ADMIN_STATS, admin_stats, &stats)) == 0);
    uint64_t conn = boss->conn;
    times = 0;
    hall_disconnect(&s->hall, aide->conn, HUB_CLOSE_GONE);
    CHECK(times == 0);
    hall_disconnect(&s->hall, conn, HUB_CLOSE_GONE);
    CHECK(times == 1 && asked.what == KEEP_LEFT && asked.conn == conn);
    visitor_free(aide);
    visitor_free(boss);
    stage_free(s);
}

static void figures_have_names(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s);
    Roost__AdminStats b = ROOST__ADMIN_STATS__INIT;

    s->hall.keeper = keeper;
    answer_err = 0;
    Roost__Reply *r = ASK(boss, ADMIN_STATS, admin_stats, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_STATS && r->stats->n_stats == 2);
    CHECK(!strcmp(r->stats->stats[0]->name, "disk") && !strcmp(r->stats->stats[0]->text, "fine"));
    CHECK(r->stats->stats[1]->value == 7 && !*r->stats->stats[1]->text);
    visitor_free(boss);
    stage_free(s);
}

static bool heard_notice(const struct visitor *v, const char *text)
{
    for (size_t i = 0; i < v->n_heard; i++) {
        const Roost__ToClient *f = v->heard[i].frame;
        if (f->body_case == ROOST__TO_CLIENT__BODY_NOTICE && !strcmp(f->notice->text, text))
            return true;
    }
    return false;
}

static void admins_are_told_and_sessions_end(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *ann = visitor_named(s, "ann"), *mute = visitor_new(s);

    hub_tell_admins(s->hall.hub, "the disk is full", hall_now(&s->hall));
    CHECK(whoami(ann) == 0); /* and what waits is sent */
    CHECK(heard_notice(boss, "the disk is full"));
    CHECK(!heard_notice(ann, "the disk is full") && !heard_notice(mute, "the disk is full"));

    hub_end_sessions(s->hall.hub, hall_now(&s->hall));
    CHECK(whoami(mute) == ROOST_LOGIN_NEEDED);
    CHECK(boss->closed && over_code(boss) == ROOST_SESSION_OVER);
    CHECK(ann->closed && over_code(ann) == ROOST_SESSION_OVER);
    CHECK(!mute->closed); /* it had none */
    visitor_free(mute);
    visitor_free(ann);
    visitor_free(boss);
    stage_free(s);
}

TEST_MAIN({ "only_admins_are_handed_on", only_admins_are_handed_on },
          { "pieces_come_back_and_are_logged_once", pieces_come_back_and_are_logged_once },
          { "a_restore_is_handed_on_piece_by_piece", a_restore_is_handed_on_piece_by_piece },
          { "that_who_asked_is_gone_is_told_once", that_who_asked_is_gone_is_told_once },
          { "figures_have_names", figures_have_names },
          { "admins_are_told_and_sessions_end", admins_are_told_and_sessions_end })
