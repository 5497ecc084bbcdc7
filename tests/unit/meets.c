#include "meets.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "test.h"

struct stage *meet_stage(void)
{
    struct stage *s = stage_new();

    s->hall.config.idle_ms = 1000000000000;
    CHECK(hub_set_config(s->hall.hub, &s->hall.config) == 0);
    return s;
}

void unhurried(struct stage *s)
{
    s->hall.config.say_rate = 0;
    CHECK(hub_set_config(s->hall.hub, &s->hall.config) == 0);
}

int meet_new(struct visitor *v, struct meets *m, bool open)
{
    Roost__MeetNew b = ROOST__MEET_NEW__INIT;

    b.open = open;
    Roost__Reply *r = ASK(v, MEET_NEW, meet_new, &b);
    if (reply_code(r))
        return reply_code(r);
    m->meeting = r->ticket->meeting->room;
    strncpy(m->code, r->ticket->meeting->code, sizeof m->code - 1);
    strncpy(m->secret, r->ticket->secret, sizeof m->secret - 1);
    return 0;
}

void meets_begin(struct meets *m, struct stage *s, bool open)
{
    *m = (struct meets){ .stage = s, .host = visitor_named(s, "host") };
    CHECK(meet_new(m->host, m, open) == 0);
    CHECK(join_by(m->host, "", "", m->meeting) == 0);
}

void meets_end(struct meets *m)
{
    visitor_free(m->host);
    stage_free(m->stage);
}

void meets_crash(struct meets *m)
{
    CHECK(hall_crash(&m->stage->hall) == 0);
    visitor_connect(m->host);
    CHECK(login(m->host, "host", PASSWORD, 1) == 0);
    CHECK(join_by(m->host, "", "", m->meeting) == 0);
}

int guest(struct visitor *v, const char *name, const char *code, const char *secret, uint8_t device)
{
    Roost__Guest b = ROOST__GUEST__INIT;
    uint8_t bytes[32] = { 0x9e, device };

    b.name = (char *)name;
    b.device = (ProtobufCBinaryData){ sizeof bytes, bytes };
    b.device_name = "a test";
    b.code = (char *)code;
    b.secret = (char *)secret;
    b.host = !*code;
    Roost__Reply *r = ASK(v, GUEST, guest, &b);
    if (r && r->result_case == ROOST__REPLY__RESULT_SESSION) {
        v->account = r->session->account;
        memcpy(v->token, r->session->token.data, sizeof v->token);
    }
    return reply_code(r);
}

int join_by(struct visitor *v, const char *code, const char *secret, uint64_t meeting)
{
    Roost__MeetJoin b = ROOST__MEET_JOIN__INIT;

    b.code = (char *)code;
    b.secret = (char *)secret;
    b.meeting = meeting;
    return reply_code(ASK(v, MEET_JOIN, meet_join, &b));
}

int join_link(struct visitor *v, const struct meets *m)
{
    return join_by(v, m->code, m->secret, 0);
}

int join_code(struct visitor *v, const struct meets *m)
{
    return join_by(v, m->code, "", 0);
}

int act_on(struct visitor *v, const struct meets *m, Roost__MeetAction action, uint64_t whom,
           const char *text)
{
    Roost__MeetAct b = ROOST__MEET_ACT__INIT;

    b.meeting = m->meeting;
    b.action = action;
    b.account = whom;
    b.text = (char *)text;
    return reply_code(ASK(v, MEET_ACT, meet_act, &b));
}

int act_named(struct visitor *v, const struct meets *m, Roost__MeetAction action, const char *whom)
{
    Roost__MeetAct b = ROOST__MEET_ACT__INIT;

    b.meeting = m->meeting;
    b.action = action;
    b.user = (char *)whom;
    return reply_code(ASK(v, MEET_ACT, meet_act, &b));
}

static const Roost__Ticket *look(struct meets *m)
{
    Roost__MeetWho b = ROOST__MEET_WHO__INIT;

    visitor_forget(m->host);
    b.meeting = m->meeting;
    b.all = true;
    Roost__Reply *r = ASK(m->host, MEET_WHO, meet_who, &b);
    CHECK(reply_code(r) == 0);
    return r->ticket;
}

const Roost__Attendee *row_of(struct meets *m, uint64_t whom)
{
    const Roost__Ticket *t = look(m);

    for (size_t i = 0; i < t->n_attendees; i++)
        if (t->attendees[i]->account == whom)
            return t->attendees[i];
    return NULL;
}

const Roost__Meeting *head_of(struct meets *m)
{
    return look(m)->meeting;
}
