/* Stories about administration, and the calculator. */
#include <stdlib.h>
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "test.h"

static void admins_block_and_lift(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_at(s, "198.51.100.1");

    CHECK(sign_up(v, "ann", PASSWORD, "") == 0);
    for (int i = 0; i < 5; i++)
        CHECK(login(v, "ann", "wrong horse", 9) == ROOST_LOGIN_WRONG);
    const Roost__Blocks *list = blocks(boss);
    size_t blocked = 0;
    for (size_t i = 0; i < list->n_blocks; i++)
        if (list->blocks[i]->until_ms) {
            blocked++;
            CHECK(strcmp(list->blocks[i]->kind, "pair") == 0);
            CHECK(strcmp(list->blocks[i]->source, "198.51.100.1") == 0);
        }
    CHECK(blocked == 1 && list->n_blocks == 3);
    CHECK(unblock(boss, "Ann") == 0);
    CHECK(login(v, "ann", PASSWORD, 1) == 0);

    /* a whole account: its sessions end, a known device does not help */
    CHECK(block(boss, "boss", 60) == ROOST_SELF);
    CHECK(block(boss, "nobody", 60) == ROOST_NO_SUCH_USER);
    CHECK(block(boss, "ann", 3600) == 0);
    CHECK(v->closed && over_code(v) == ROOST_BLOCKED);
    move_to(v, "192.0.2.44");
    CHECK(resume(v, v->token, 1) == ROOST_SESSION_OVER);
    CHECK(blocked_ms(v, "ann", PASSWORD, 1) == 3600000);
    CHECK(unblock(boss, "ann") == 0 && login(v, "ann", PASSWORD, 1) == 0);
    CHECK(unblock(v, "ann") == ROOST_NOT_ALLOWED && block(v, "boss", 1) == ROOST_NOT_ALLOWED);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void roles_users_and_sessions(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_named(s, "ann");
    Roost__AdminRole role = ROOST__ADMIN_ROLE__INIT;
    Roost__AdminUsers all = ROOST__ADMIN_USERS__INIT;
    Roost__AdminSessions on = ROOST__ADMIN_SESSIONS__INIT;
    Roost__AdminEndSession end = ROOST__ADMIN_END_SESSION__INIT;
    Roost__AdminRooms rooms = ROOST__ADMIN_ROOMS__INIT;

    CHECK(reply_code(ASK(v, ADMIN_USERS, admin_users, &all)) == ROOST_NOT_ALLOWED);
    Roost__Reply *r = ASK(boss, ADMIN_USERS, admin_users, &all);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_USERS && r->users->n_users == 2);

    role.user = "boss";
    role.role = ROOST__ROLE__USER;
    CHECK(reply_code(ASK(boss, ADMIN_ROLE, admin_role, &role)) == ROOST_LAST_ADMIN);
    role.user = "ann";
    role.role = ROOST__ROLE__ADMIN;
    CHECK(reply_code(ASK(boss, ADMIN_ROLE, admin_role, &role)) == 0);
    r = ASK(v, ADMIN_SESSIONS, admin_sessions, &on); /* from now on she may */
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_SESSIONS && r->sessions->n_sessions == 2);
    CHECK(strcmp(r->sessions->sessions[0]->name, "boss") == 0);
    end.session = r->sessions->sessions[0]->session;
    CHECK(reply_code(ASK(v, ADMIN_END_SESSION, admin_end_session, &end)) == 0);
    CHECK(boss->closed && over_code(boss) == ROOST_SESSION_OVER);
    r = ASK(v, ADMIN_ROOMS, admin_rooms, &rooms);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_ROOMS && r->rooms->n_rooms == 1);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void the_log_is_read_and_followed(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_at(s, "198.51.100.1");

    for (int i = 0; i < 6; i++)
        login(v, "nobody", "wrong horse", 9);
    stage_run(s, SECONDS(2));
    const Roost__LogPage *page = log_page(boss, "login", true);
    size_t wrong = 0, refused = 0;
    for (size_t i = 0; i < page->n_lines; i++) {
        const Roost__LogLine *l = page->lines[i];
        bool his = strcmp(l->target, "nobody") == 0 && strcmp(l->address, "198.51.100.1") == 0;
        wrong += his && strcmp(l->outcome, "login-wrong") == 0;
        refused += his && strcmp(l->outcome, "blocked") == 0;
    }
    CHECK(wrong == 5 && refused == 1);

    visitor_forget(boss);
    CHECK(sign_up(v, "ann", PASSWORD, "") == 0);
    stage_run(s, SECONDS(1));
    size_t lines = 0, of_ann = 0;
    for (size_t i = 0; i < boss->n_heard; i++)
        if (boss->heard[i].frame->body_case == ROOST__TO_CLIENT__BODY_LOG_LINE) {
            const Roost__LogLine *l = boss->heard[i].frame->log_line;
            lines++;
            of_ann += strcmp(l->kind, "sign_up") == 0 && strcmp(l->outcome, "ok") == 0;
        }
    CHECK(of_ann == 1 && lines <= 3); /* and that the log was read */

    /* nothing happens: nothing is looked for */
    uint64_t before = s->hall.counts.operations;
    for (int i = 0; i < 20; i++)
        stage_run(s, 100000);
    CHECK(s->hall.counts.operations - before <= 1);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void exports_leave_out_private_rooms(void)
{
    struct stage *s = stage_new();
    struct visitor *boss = admin_new(s), *v = visitor_named(s, "ann");
    Roost__AdminExport b = ROOST__ADMIN_EXPORT__INIT;
    uint64_t room = visitor_room(v, "hall", NULL), direct = 0;

    CHECK(visitor_say(v, "#hall", "hello") == 0 && visitor_say(v, "@boss", "psst") == 0);
    for (uint64_t i = room + 1; i < room + 5; i++) {
        b.room = i;
        if (reply_code(ASK(boss, ADMIN_EXPORT, admin_export, &b)) == ROOST_NOT_ALLOWED)
            direct = i;
    }
    b.room = room; /* not a member, but an admin */
    Roost__Reply *r = ASK(boss, ADMIN_EXPORT, admin_export, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_PAGE);
    CHECK(strcmp(r->page->events[r->page->n_events - 1]->text->text, "hello") == 0);
    CHECK(reply_code(ASK(v, ADMIN_EXPORT, admin_export, &b)) == ROOST_NOT_ALLOWED);

    s->hall.config.log_private_text = true;
    set_registration(s, REGISTRATION_OPEN);
    b.room = direct;
    CHECK(direct && reply_code(ASK(boss, ADMIN_EXPORT, admin_export, &b)) == 0);
    visitor_free(v);
    visitor_free(boss);
    stage_free(s);
}

static void the_calculator_answers(void)
{
    struct stage *s = stage_new();
    struct visitor *v = visitor_named(s, "ann");
    Roost__Calc b = ROOST__CALC__INIT;

    b.expression = "7 % 3";
    Roost__Reply *r = ASK(v, CALC, calc, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_ANSWER && strcmp(r->answer->text, "1") == 0);
    b.expression = "7 / 0";
    CHECK(reply_code(ASK(v, CALC, calc, &b)) == ROOST_DIVISION_BY_ZERO);
    visitor_free(v);
    stage_free(s);
}

TEST_MAIN({ "admins_block_and_lift", admins_block_and_lift },
          { "roles_users_and_sessions", roles_users_and_sessions },
          { "the_log_is_read_and_followed", the_log_is_read_and_followed },
          { "exports_leave_out_private_rooms", exports_leave_out_private_rooms },
          { "the_calculator_answers", the_calculator_answers })
