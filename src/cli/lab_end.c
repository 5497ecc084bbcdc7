#include "cli/lab_end.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/lab_show.h"

enum { QUEUE_BYTES = 1 << 20 /* of the socket, if the system allows it */ };

int lab_fail(struct lab_end *e, int status, const char *advice, const char *format, ...)
{
    struct buf b = { 0 };
    va_list ap;

    lab_clear(e);
    va_start(ap, format);
    buf_vprintf(&b, format, ap);
    va_end(ap);
    cli_fail(e->c, status, buf_str(&b), advice);
    buf_fini(&b);
    return status;
}

/* --- options ------------------------------------------------------------------------- */

static int take_cc(struct lab_end *e)
{
    const char *name = args_value(e->args, "cc");

    e->cc = name ? cc_find(name) : cc_default();
    return e->cc ? 0
                 : cli_usage(e->c, "there is no such congestion control",
                             "reno, cubic and bbr are there");
}

/* From --word, the environment, or the terminal. */
static int take_word(struct lab_end *e)
{
    const char *word = args_value(e->args, "word"), *said = getenv("ROOST_WORD");
    char *typed = NULL;

    if (!word && said && *said)
        word = said;
    if (!word)
        word = typed = ask_word(e->c, "The word that both sides know: ");
    if (!word)
        return CLI_USAGE;
    int err = word_stretch(e->word, word);
    ask_forget(typed);
    if (args_has(e->args, "word")) /* others can list the arguments of processes */
        memset((char *)args_value(e->args, "word"), '*', strlen(args_value(e->args, "word")));
    if (err == -ROOST_INVALID)
        return cli_usage(e->c, "the word is empty, or too long", "--word WORD, of 1 to 256 bytes");
    return err ? lab_fail(e, CLI_REFUSED, "try again in a moment", "out of memory") : 0;
}

static int open_file(struct lab_end *e, const char *option, FILE **ret)
{
    const char *name = args_value(e->args, option);

    if (!name)
        return 0;
    *ret = fopen(name, "we");
    if (!*ret)
        return lab_fail(e, CLI_REFUSED, "choose another place", "%s: %s", name, strerror(errno));
    return 0;
}

static int open_study(struct lab_end *e)
{
    const char *name;

    if (!study_open(&e->study, e->c->pcap, e->c->key_log, &name))
        return 0;
    return lab_fail(e, CLI_REFUSED, "choose another place", "%s: %s", name, strerror(errno));
}

static int open_link(struct lab_end *e)
{
    char wrong[LINK_WRONG_MAX];
    struct link_pair how = { 0 };
    uint8_t seed[32];
    uint64_t dice;

    if (!e->c->link)
        return 0;
    if (link_spec(&how, e->c->link, wrong))
        return cli_usage(e->c, wrong, "--link SPEC, for example --link 'wan loss=2%'");
    int status = lab_seed(e, seed);
    memcpy(&dice, seed, sizeof dice);
    if (!status)
        detour_init(&e->detour, &how, dice);
    e->bends = !status;
    return status;
}

static int open_signals(struct lab_end *e)
{
    signal(SIGPIPE, SIG_IGN); /* who reads from us went away: writing says so */
    e->signals = sleep_add_signals(&e->sleep, LAB_SIGNAL);
    if (e->signals < 0)
        return lab_fail(e, CLI_REFUSED, "try again", "%s", strerror(errno));
    return 0;
}

int lab_begin(struct lab_end *e, struct cli *c, const struct cli_args *a)
{
    *e = (struct lab_end){ .c = c, .args = a, .signals = -1, .sleep = { -1, -1 } };
    int status = take_cc(e);

    if (!status)
        status = take_word(e);
    if (!status)
        status = open_file(e, "trace", &e->trace);
    if (!status)
        status = open_file(e, "csv", &e->csv);
    if (!status)
        status = open_study(e);
    if (!status)
        status = open_link(e);
    if (!status && sleep_init(&e->sleep, false))
        status = lab_fail(e, CLI_REFUSED, "try again", "%s", strerror(errno));
    if (!status)
        status = open_signals(e);
    if (!status)
        lab_heads(e);
    return status;
}

static int close_files(struct lab_end *e)
{
    int status = 0;

    if (study_close(&e->study))
        status = lab_fail(e, CLI_REFUSED, "make room", "datagrams or keys could not be written");
    if (e->trace && fclose(e->trace))
        status = lab_fail(e, CLI_REFUSED, "make room", "the trace could not be written");
    if (e->csv && fclose(e->csv))
        status = lab_fail(e, CLI_REFUSED, "make room", "the figures could not be written");
    return status;
}

static void carry_bent(struct lab_end *e, int64_t now_us)
{
    detour_deliver(&e->detour, &e->carry, now_us);
    detour_send(&e->detour, &e->carry, now_us);
}

int lab_fini(struct lab_end *e)
{
    if (e->carries && e->bends) /* the last words do not wait for their turn in the link */
        carry_bent(e, sleep_now_us() + LAB_SILENCE_US);
    if (e->bends)
        detour_fini(&e->detour);
    if (e->carries)
        carry_fini(&e->carry);
    flow_free(e->flow);
    udp_close(e->udp);
    sleep_fini(&e->sleep);
    if (e->signals >= 0)
        close(e->signals);
    int status = close_files(e);
    explicit_bzero(e, sizeof *e);
    return status;
}

/* --- socket and session ------------------------------------------------------------------ */

int lab_open(struct lab_end *e, const union address *at, const union address *to)
{
    struct udp_settings s = { .at = *at, .queue_bytes = QUEUE_BYTES };
    char text[ADDRESS_TEXT_MAX];

    if (to) {
        s.connect = true;
        s.to = *to;
    }
    address_text(to ? to : at, text);
    if (udp_open(&e->udp, &s))
        return lab_fail(e, CLI_UNREACHABLE, "choose another address or port", "%s: %s", text,
                        strerror(errno));
    study_socket(&e->study, e->udp);
    if (sleep_add(&e->sleep, udp_fd(e->udp), SLEEP_READ, LAB_SOCKET))
        return lab_fail(e, CLI_REFUSED, "try again", "%s", strerror(errno));
    return 0;
}

int lab_seed(struct lab_end *e, uint8_t ret[static 32])
{
    if (getrandom(ret, 32, 0) == 32)
        return 0;
    return lab_fail(e, CLI_REFUSED, "try again", "the system gives no random bytes");
}

int lab_session(struct lab_end *e, const struct pair_keys *keys, bool client,
                const union address *to, int64_t now_us)
{
    struct path_address proven;
    uint8_t seed[32];
    struct flow_settings s = {
        .client = client,
        .session = keys->session,
        .secret = keys->secret,
        .seed = seed,
        .cc = e->cc,
        .rtt_us = keys->rtt_us,
        .mtu_most = PACKET_MTU_MAX,
        .ecn = true,
        .proves = !client,
        .proven = &proven, /* by the exchange: it answered with a number that was sent there */
        .keeps = client,
        .trace = e->trace ? lab_trace : NULL,
        .trace_ctx = e,
    };

    carry_address(to, &proven);
    study_keys(&e->study, keys->session, keys->secret);
    if (lab_seed(e, seed))
        return -ROOST_IO;
    int err = flow_new(&e->flow, &s, now_us);
    if (!err)
        err = carry_init(&e->carry, e->udp, e->flow, to);
    if (err) {
        flow_free(e->flow);
        e->flow = NULL;
    }
    explicit_bzero(seed, sizeof seed);
    e->carry.answers = !client;
    e->carries = !err;
    e->begun_us = now_us;
    return err;
}

void lab_hear(struct lab_end *e, const struct udp_in *in, int64_t now_us)
{
    if (e->bends)
        detour_hear(&e->detour, in, now_us);
    else
        carry_hear(&e->carry, in, now_us);
}

int64_t lab_deadline_us(const struct lab_end *e, int64_t now_us)
{
    int64_t flow_us, link_us;

    if (!e->bends)
        return carry_deadline_us(&e->carry, now_us);
    flow_us = flow_deadline_us(e->flow, now_us);
    link_us = detour_deadline_us(&e->detour);
    return flow_us < link_us ? flow_us : link_us;
}

int lab_out(struct lab_end *e, int64_t now_us)
{
    if (e->bends) {
        carry_bent(e, now_us);
        return 0;
    }
    if (carry_out(&e->carry, now_us))
        return lab_fail(e, CLI_UNREACHABLE, "try again", "sending failed: %s", strerror(errno));
    if (e->carry.full != e->wants_write) {
        e->wants_write = e->carry.full;
        sleep_set(&e->sleep, udp_fd(e->udp), SLEEP_READ | (e->wants_write ? SLEEP_WRITE : 0),
                  LAB_SOCKET);
    }
    return 0;
}

bool lab_wait(struct lab_end *e, int64_t until_us, bool *ret_file)
{
    struct sleep_ready ready[SLEEP_AT_ONCE];
    int n = sleep_until(&e->sleep, until_us, ready);

    *ret_file = false;
    for (int i = 0; i < n; i++) {
        *ret_file = *ret_file || ready[i].id == LAB_FILE;
        if (ready[i].id == LAB_SIGNAL && sleep_signalled(e->signals))
            e->interrupted = true;
    }
    return !e->interrupted;
}

bool lab_is_silent(struct lab_end *e, int64_t now_us)
{
    uint64_t refused = udp_counts(e->udp)->refused;
    struct flow_view v;

    flow_look(e->flow, &v);
    if (v.heard_us != e->heard_us) {
        e->heard_us = v.heard_us;
        e->refused = refused;
    }
    int64_t silent_us = now_us - v.heard_us;
    return silent_us > LAB_SILENCE_US || (silent_us > LAB_REFUSED_US && refused > e->refused + 2);
}
