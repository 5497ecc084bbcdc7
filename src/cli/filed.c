#include "cli/filed.h"

#include <inttypes.h>

#include "cli/amount.h"
#include "cli/text.h"

const char *filed_stage(enum roost_file_stage stage)
{
    static const char *const names[] = { "asking", "waiting",  "going",     "paused",
                                         "done",   "declined", "cancelled", "failed" };

    return (size_t)stage < sizeof names / sizeof *names ? names[stage] : "unknown";
}

const char *filed_way(enum roost_file_way way)
{
    static const char *const names[] = { "", "LAN", "direct", "relay", "relay in TLS", "server" };

    return (size_t)way < sizeof names / sizeof *names ? names[way] : "";
}

void filed_what(struct buf *b, const struct roost_file *f)
{
    text_clean(b, f->kind == ROOST_FILE_TEXT ? "a text" : f->name, TEXT_ONE_LINE);
    if (f->kind == ROOST_FILE_TREE)
        buf_printf(b, ", %" PRIu32 " file%s", f->files, f->files == 1 ? "" : "s");
    if (f->size != ROOST_SIZE_UNKNOWN) {
        buf_puts(b, ", ");
        amount_bytes(b, (double)f->size);
    } else {
        buf_puts(b, ", size not known yet");
    }
}

void filed_json(struct json *j, const struct roost_file *f)
{
    static const char *const kinds[] = { "file", "tree", "text" };
    bool whole = f->stage == ROOST_FILE_DONE && !f->gone && f->size != ROOST_SIZE_UNKNOWN;

    json_u64(j, "file", f->file);
    json_str(j, "name", f->name);
    json_str(j, "kind", (size_t)f->kind < 3 ? kinds[f->kind] : "file");
    json_u64(j, "files", f->files);
    if (f->size == ROOST_SIZE_UNKNOWN)
        json_null(j, "size");
    else
        json_u64(j, "size", f->size);
    json_str(j, "stage", f->gone ? "gone" : filed_stage(f->stage));
    json_bool(j, "kept", f->kept);
    json_u64(j, "bytes", whole ? f->size : f->moved);
    json_str(j, "way", *filed_way(f->way) ? filed_way(f->way) : NULL);
    json_time(j, "until", (int64_t)f->until_ms);
}
