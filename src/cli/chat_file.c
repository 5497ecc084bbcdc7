/* chat_file.c - files that are sent and fetched while one types. */
#include "cli/chat_in.h"
#include "cli/filing.h"

enum { SHOWN_US = 500 * 1000 };

int file_send(struct chat *chat, const struct cli_args *a)
{
    struct filing_send f;
    int status = filing_send_read(chat->c, a, &f);

    if (!status &&
        !moving_add(&chat->moving, roost_file_send(chat->c->r, &f.what), filing_send_name(&f)))
        status = chat->moving.status;
    filing_send_fini(&f);
    line_prompt(&chat->line);
    return status;
}

int file_get(struct chat *chat, const struct cli_args *a)
{
    struct filing_get g;
    int status = filing_get_read(chat->c, a, &g);

    if (!status && !moving_add(&chat->moving, roost_file_get(chat->c->r, &g.what),
                               g.what.dir ? g.what.dir : "."))
        status = chat->moving.status;
    filing_get_fini(&g);
    line_prompt(&chat->line);
    return status;
}

/* accept --always stands for this one. */
static void take(struct chat *chat, const struct roost_file *f, const struct roost_standing *s)
{
    struct roost_file_get what = { .file = f->file, .dir = s->dir, .shown = !s->dir, .fd = -1 };

    filing_taken_say(chat->c, f);
    moving_add(&chat->moving, roost_file_get(chat->c->r, &what), s->dir ? s->dir : ".");
    line_prompt(&chat->line);
}

static void offered(struct chat *chat, const struct roost_file *f)
{
    struct roost_standing s;

    if (f->yours || (f->kept && !*f->to)) /* a room's are an event in it */
        return;
    if (f->kept && f->stage != ROOST_FILE_DONE)
        return; /* it is told when it is whole */
    if (chat->c->json)
        filing_json(chat->c, "offer", f);
    if ((f->stage == ROOST_FILE_WAITING || f->kept) && roost_file_stands(chat->c->r, f, &s)) {
        take(chat, f, &s);
        return;
    }
    if (chat->c->json)
        return;
    filing_offer_say(chat->c, f);
    if (!chat->line.plain)
        buf_putc(&chat->c->out, '\a');
}

static void moved(struct chat *chat, const struct roost_event *e)
{
    int64_t now = cli_now_us();
    size_t before = moving_left(&chat->moving);

    moving_event(&chat->moving, e);
    bool over = moving_left(&chat->moving) < before;
    if (chat->line.plain && chat->moving.status && !chat->status)
        chat->status = chat->moving.status;
    bool same = chat->moving_stage == e->transfer.stage;
    chat->moving_stage = e->transfer.stage;
    if (!over && same && now - chat->moving_shown_us < SHOWN_US)
        return;
    chat->moving_shown_us = now;
    line_prompt(&chat->line);
}

bool file_on_event(struct chat *chat, const struct roost_event *e)
{
    switch (e->kind) {
    case ROOST_TRANSFER:
        moved(chat, e);
        return true;
    case ROOST_FILE_OFFERED:
        offered(chat, &e->file);
        return true;
    case ROOST_FILE_CHANGED:
        return true; /* what moves here is told by its transfer */
    default:
        return false;
    }
}

bool file_is_done(const struct chat *chat)
{
    return !moving_left(&chat->moving);
}

void file_close(struct chat *chat)
{
    if (!file_is_done(chat))
        cli_say(chat->c, "Files were on their way: the same /send or /get goes on where they are.");
}
