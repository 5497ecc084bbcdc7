/* test_races.c - requests that are overtaken by another, or whose sender goes meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "hub/internal.h"
#include "meets.h"
#include "refusing.h"
#include "test.h"

static void send_login(struct visitor *v, const char *name, const char *password, uint8_t number)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Login in = ROOST__LOGIN__INIT;
    uint8_t device[32] = { number };

    in.name = (char *)name;
    in.password = (char *)password;
    in.device = (ProtobufCBinaryData){ sizeof device, device };
    m.body_case = ROOST__TO_SERVER__BODY_LOGIN;
    m.login = &in;
    visitor_send(v, &m);
}

/* Two that would log in the same connection: one of them does. */
static void twice_at_once(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann"), *v = visitor_new(s);
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Resume resume = ROOST__RESUME__INIT;
    Roost__Guest guest = ROOST__GUEST__INIT;
    uint8_t device[32] = { 1, 'a', 'n', 'n' };

    s->hall.store_delay_us = 1000;
    resume.token = (ProtobufCBinaryData){ 32, ann->token };
    resume.device = (ProtobufCBinaryData){ 32, device };
    m.body_case = ROOST__TO_SERVER__BODY_RESUME;
    m.resume = &resume;
    visitor_send(v, &m);
    visitor_send(v, &m);
    hall_settle(&s->hall);
    CHECK(visitor_errors(v, ROOST_ALREADY) == 1);
    visitor_free(v);

    v = visitor_new(s);
    guest.name = "Zoe";
    guest.host = true;
    guest.device = (ProtobufCBinaryData){ 32, device };
    m.body_case = ROOST__TO_SERVER__BODY_GUEST;
    m.guest = &guest;
    visitor_send(v, &m);
    visitor_send(v, &m);
    hall_settle(&s->hall);
    CHECK(visitor_errors(v, ROOST_ALREADY) == 1);
    CHECK(reply_code(visitor_ask(v, &m)) == ROOST_ALREADY);
    visitor_free(v);

    v = visitor_new(s);
    send_login(v, "ann", PASSWORD, 3);
    send_login(v, "ann", PASSWORD, 3);
    hall_settle(&s->hall);
    CHECK(visitor_errors(v, ROOST_ALREADY) == 1);
    visitor_free(v);
    visitor_free(ann);
    stage_free(s);
}

/* A login that is being hashed: meanwhile an admin blocks the account, or it is deleted. */
static bool races(struct stage *s, struct visitor *root, const char *name, bool deleted,
                  int64_t head_start_us)
{
    struct visitor *ann = visitor_named(s, name), *v = visitor_new(s);
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Login in = ROOST__LOGIN__INIT;
    Roost__AdminBlock b = ROOST__ADMIN_BLOCK__INIT;
    Roost__AdminDelete d = ROOST__ADMIN_DELETE__INIT;
    uint8_t device[32] = { 9 };

    in.name = b.user = d.user = (char *)name;
    in.password = PASSWORD;
    in.device = (ProtobufCBinaryData){ 32, device };
    b.seconds = 60;
    m.body_case = ROOST__TO_SERVER__BODY_LOGIN;
    m.login = &in;
    visitor_send(v, &m);
    s->now_us = s->hall.now_us + head_start_us;
    hall_run(&s->hall, s->now_us);
    m.body_case = deleted ? ROOST__TO_SERVER__BODY_ADMIN_DELETE
                          : ROOST__TO_SERVER__BODY_ADMIN_BLOCK;
    if (deleted)
        m.admin_delete = &d;
    else
        m.admin_block = &b;
    visitor_send(root, &m);
    hall_settle(&s->hall);
    s->now_us = s->hall.now_us;
    bool seen = visitor_errors(v, deleted ? ROOST_LOGIN_WRONG : ROOST_BLOCKED) > 0;
    visitor_free(v);
    visitor_free(ann);
    visitor_forget(root);
    return seen;
}

static void a_login_that_is_overtaken(void)
{
    struct stage *s = meet_stage();
    struct visitor *root = admin_new(s);
    char name[] = "paaa";
    int blocked = 0, gone = 0;

    s->hall.store_delay_us = 1000;
    for (int i = 0; i < 120; i++) {
        name[1] = (char)('a' + i / 64), name[2] = (char)('a' + i / 8 % 8);
        name[3] = (char)('a' + i % 8);
        bool deleted = i % 2;
        bool seen = races(s, root, name, deleted, i * 250);
        blocked += seen && !deleted;
        gone += seen && deleted;
    }
    CHECK(blocked > 0 && gone > 0);
    visitor_free(root);
    stage_free(s);
}

static void pass(struct stage *s, int64_t us)
{
    s->now_us = s->hall.now_us + us;
    hall_run(&s->hall, s->now_us);
}

static void settle(struct stage *s)
{
    hall_settle(&s->hall);
    s->now_us = s->hall.now_us;
}

/* The old password was right when it was looked at, and no more when the session was made. */
static void a_password_that_is_changed_meanwhile(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann");
    const char *old = PASSWORD, *fresh = "better horse";
    int too_late = 0;

    s->hall.store_delay_us = 1000;
    for (int i = 0; i < 60; i++) {
        struct visitor *v = visitor_new(s);
        Roost__ToServer m = ROOST__TO_SERVER__INIT;
        Roost__Passwd p = ROOST__PASSWD__INIT;
        p.old_password = (char *)old;
        p.new_password = (char *)fresh;
        m.body_case = ROOST__TO_SERVER__BODY_PASSWD;
        m.passwd = &p;
        visitor_send(ann, &m);
        pass(s, i % 20 * 1000);
        send_login(v, "ann", old, 9);
        settle(s);
        too_late += visitor_errors(v, ROOST_LOGIN_WRONG) > 0;
        CHECK(whoami(v) != 0); /* too late, or thrown out again */
        CHECK(whoami(ann) == 0);
        visitor_free(v);
        visitor_forget(ann);
        const char *swap = old;
        old = fresh;
        fresh = swap;
        stage_run(s, SECONDS(600)); /* wrong ones are forgotten */
    }
    CHECK(too_late > 0);
    visitor_free(ann);
    stage_free(s);
}

/* Whoever goes while it logs in leaves no session that nobody has the token of. */
static void who_goes_while_it_logs_in(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann");

    for (int i = 0; i < 60; i++) {
        s->hall.store_delay_us = 1000;
        struct visitor *v = visitor_new(s);
        send_login(v, "ann", PASSWORD, 9);
        pass(s, i * 500);
        hall_disconnect(&s->hall, v->conn, HUB_CLOSE_GONE);
        v->conn = 0;
        bool in = v->n_heard &&
                  v->heard[v->n_heard - 1].frame->body_case == ROOST__TO_CLIENT__BODY_REPLY &&
                  reply_code(v->heard[v->n_heard - 1].frame->reply) == 0;
        visitor_free(v);
        settle(s);
        s->hall.store_delay_us = 0;
        const Roost__SessionList *list = sessions(ann);
        CHECK(list && (in || list->n_sessions == 1));
        if (in)
            break;
        visitor_forget(ann);
    }
    visitor_free(ann);
    stage_free(s);
}

static void a_guest_that_goes_at_the_door(void)
{
    struct meets m;
    Roost__ToServer frame = ROOST__TO_SERVER__INIT;
    Roost__Guest b = ROOST__GUEST__INIT;
    uint8_t device[32] = { 1 };

    meets_begin(&m, meet_stage(), true);
    m.stage->hall.store_delay_us = 1000;
    struct visitor *zoe = visitor_new(m.stage);
    b.name = (char *)"Zoe";
    b.code = m.code;
    b.secret = m.secret;
    b.device = (ProtobufCBinaryData){ sizeof device, device };
    frame.body_case = ROOST__TO_SERVER__BODY_GUEST;
    frame.guest = &b;
    visitor_send(zoe, &frame);
    hall_disconnect(&m.stage->hall, zoe->conn, HUB_CLOSE_GONE);
    zoe->conn = 0;
    settle(m.stage);
    CHECK(m.stage->hall.hub->users.n == 1);
    visitor_free(zoe);
    meets_end(&m);
}

/* A store that reads beside its writing may answer in another order. */
static void removed_while_it_reads(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    uint64_t room = visitor_room(ann, "maths", "bob");
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Sync sync = ROOST__SYNC__INIT;
    Roost__Remove gone = ROOST__REMOVE__INIT;
    Roost__Target target = ROOST__TARGET__INIT;

    CHECK(visitor_say(ann, "#maths", "hello") == 0);
    s->hall.store_delay_us = 1000;
    sync.room = target.room = room;
    m.body_case = ROOST__TO_SERVER__BODY_SYNC;
    m.sync = &sync;
    visitor_send(bob, &m);
    CHECK(s->hall.n_ops == 1);
    gone.target = &target;
    gone.user = (char *)"bob";
    m.body_case = ROOST__TO_SERVER__BODY_REMOVE;
    m.remove = &gone;
    struct hall_waiting read = s->hall.ops[0];
    s->hall.n_ops = 0;
    visitor_send(ann, &m);
    settle(s);
    CHECK(visitor_sync(ann, room, 0) == 0);
    s->hall.ops[s->hall.n_ops++] = read;
    s->hall.batch_due_us = s->hall.now_us;
    settle(s);
    CHECK(visitor_errors(bob, ROOST_NOT_MEMBER) == 1);
    CHECK(visitor_events(bob, room) == 0);
    visitor_free(bob);
    visitor_free(ann);
    stage_free(s);
}

TEST_MAIN({ "twice_at_once", twice_at_once },
          { "a_login_that_is_overtaken", a_login_that_is_overtaken },
          { "a_password_that_is_changed_meanwhile", a_password_that_is_changed_meanwhile },
          { "who_goes_while_it_logs_in", who_goes_while_it_logs_in },
          { "a_guest_that_goes_at_the_door", a_guest_that_goes_at_the_door },
          { "removed_while_it_reads", removed_while_it_reads })
