/* send: files, directories, a stream or a text, to a person or a room */
#include "cli/filing.h"
#include "cli/moving.h"
#include "cli/near.h"

CLI_RUN(cmd_send)
{
    struct filing_send f;
    struct moving m;

    if (args_has(a, "nearby"))
        return near_send(c, a);
    int status = filing_send_read(c, a, &f);

    moving_init(&m, c);
    moving_catch();
    if (!status && moving_add(&m, roost_file_send(c->r, &f.what), filing_send_name(&f)))
        status = moving_wait(&m, NULL, NULL);
    filing_send_fini(&f);
    return status ? status : m.status;
}
